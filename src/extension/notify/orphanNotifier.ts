import * as l10n from '@vscode/l10n'
import { liveWorkerCount, type ShutdownService } from '../commands/shutdownService'
import { DisposableStore, type Disposable } from '../lifecycle'
import type { PoolCatalog } from '../model/poolCatalog'
import type { PoolRecord } from '../model/poolStore'
import type { Prompts } from '../prompts/prompts'
import type { PoolsView } from '../view/poolsView'
import { Burst } from './burst'
import { orphansMessage } from './orphansMessage'

/** A new host finds what the old one left behind one pool after the other. */
const burstMs = 1_000

export interface OrphanNotifierOptions {
  readonly catalog: PoolCatalog
  readonly prompts: () => Prompts
  readonly shutdown: ShutdownService
  readonly view: PoolsView
  readonly onError: (error: unknown) => void
}

/** Tells once that a host ended without its workers, and offers to end those. */
export class OrphanNotifier implements Disposable {
  readonly #options: OrphanNotifierOptions
  readonly #known = new Set<string>()
  readonly #owned = new DisposableStore()

  constructor(options: OrphanNotifierOptions) {
    this.#options = options
    const burst = this.#owned.add(
      new Burst<string>(burstMs, (poolIds) => {
        this.#announce(poolIds).catch(options.onError)
      }),
    )
    this.#owned.add(
      options.catalog.onDidChange(() => {
        for (const pool of options.catalog.livePools.filter(isLeftBehind)) {
          if (this.#known.has(pool.header.id)) continue
          this.#known.add(pool.header.id)
          burst.add(pool.header.id)
        }
      }),
    )
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #announce(poolIds: readonly string[]): Promise<void> {
    const pools = this.#still(poolIds)
    const [first] = pools
    if (first === undefined) return
    const show = l10n.t('Show')
    const terminate = l10n.t('Terminate')
    const kill = l10n.t('Kill')
    const answer = await this.#options
      .prompts()
      .notify('warning', orphansMessage(pools.reduce((sum, pool) => sum + liveWorkerCount(pool), 0)), [
        show,
        terminate,
        kill,
      ])
    // It may be answered much later.
    const left = this.#still(poolIds)
    if (left.length === 0) return
    if (answer === show) await this.#options.view.reveal({ kind: 'pool', poolId: first.header.id })
    else if (answer === terminate) await this.#options.shutdown.endPools(left, 'terminate')
    else if (answer === kill) await this.#options.shutdown.endPools(left, 'kill')
  }

  #still(poolIds: readonly string[]): PoolRecord[] {
    return this.#options.catalog.livePools.filter((pool) => poolIds.includes(pool.header.id) && isLeftBehind(pool))
  }
}

function isLeftBehind(pool: PoolRecord): boolean {
  return pool.header.orphaned && liveWorkerCount(pool) > 0
}
