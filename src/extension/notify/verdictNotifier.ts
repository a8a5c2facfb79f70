import { commands } from 'vscode'
import * as l10n from '@vscode/l10n'
import { rescueOptionsOf } from '../../protocol'
import type { Sessions } from '../client/sessions'
import type { ShutdownService } from '../commands/shutdownService'
import type { CommandId } from '../contributions/commands'
import { readSetting, writeUserSetting } from '../contributions/settings'
import type { Disposable } from '../lifecycle'
import type { PoolRecord } from '../model/poolStore'
import type { Prompts } from '../prompts/prompts'
import type { PoolsNode } from '../view/nodes'
import type { PoolsView } from '../view/poolsView'
import { announceNews } from './announceNews'
import { stuckOn, stuckPoolMemory, verdictKey, type StuckPool } from './stuckPools'
import { verdictMessage } from './verdictMessage'

export interface VerdictNotifierOptions {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly shutdown: ShutdownService
  readonly view: PoolsView
  readonly onError: (error: unknown) => void
}

/** Tells when a pool waits for something that is not going to come, once, and offers what would help. */
export class VerdictNotifier implements Disposable {
  readonly #options: VerdictNotifierOptions
  readonly #news: Disposable

  constructor(options: VerdictNotifierOptions) {
    this.#options = options
    this.#news = announceNews({
      catalog: options.sessions.catalog,
      memory: stuckPoolMemory(),
      find: ({ pools }) => pools.flatMap(stuckOn),
      announce: (stuck) => this.#announce(stuck),
      onError: options.onError,
    })
  }

  dispose(): void {
    this.#news.dispose()
  }

  async #announce(told: readonly StuckPool[]): Promise<void> {
    const still = this.#still(told)
    const [first] = still
    if (first === undefined || !readSetting('notifyOnStuck')) return
    const rescue = l10n.t('Rescue…')
    const show = l10n.t('Show')
    const showStack = l10n.t('Show Stack')
    const terminate = l10n.t('Terminate')
    const never = l10n.t('Don’t Show Again')
    const worker = this.#liveWorker(first)
    const canRescue = this.#pools(still).some(({ header }) => rescueOptionsOf(header).length > 0)
    const actions = [...(canRescue ? [rescue] : []), show, worker === undefined ? terminate : showStack, never]
    const answer = await this.#options.prompts().notify(
      'warning',
      verdictMessage(still, (poolId) => this.#pool(poolId)?.header.name ?? poolId),
      actions,
    )
    // It may be answered much later.
    const pools = this.#pools(this.#still(told))
    if (answer === never) await writeUserSetting('notifyOnStuck', false)
    else if (answer === show) await this.#options.view.reveal({ kind: 'pool', poolId: first.poolId })
    else if (answer === showStack && worker !== undefined) await run('unhang.showStack', worker)
    else if (answer === rescue) await run('unhang.rescuePool', ...rowsOf(pools))
    else if (answer === terminate && pools.length > 0)
      await this.#options.shutdown.endPools(this.#programs(pools), 'terminate')
  }

  /** Those of them that are still so. */
  #still(told: readonly StuckPool[]): StuckPool[] {
    const keys = new Set(told.map(verdictKey))
    return this.#options.sessions.catalog.livePools.flatMap(stuckOn).filter((stuck) => keys.has(verdictKey(stuck)))
  }

  #pool(poolId: string): PoolRecord | undefined {
    return this.#options.sessions.catalog.pool(poolId)
  }

  #pools(stuck: readonly StuckPool[]): PoolRecord[] {
    return [...new Set(stuck.flatMap(({ poolId }) => this.#pool(poolId) ?? []))]
  }

  /** A program is ended as a whole: without its pool it would only hang elsewhere. */
  #programs(pools: readonly PoolRecord[]): PoolRecord[] {
    return [...new Set(pools.map((pool) => this.#options.sessions.catalog.programOf(pool) ?? pool))]
  }

  /** The worker that it is about, if it lives. */
  #liveWorker({ poolId, verdict: { worker, pid } }: StuckPool): PoolsNode | undefined {
    const found = worker === null ? undefined : this.#options.sessions.catalog.worker(poolId, worker)
    return worker !== null && found?.pid === pid && found.status !== 'exited'
      ? { kind: 'worker', poolId, name: worker }
      : undefined
  }
}

async function run(command: CommandId, ...args: unknown[]): Promise<void> {
  await commands.executeCommand(command, ...args)
}

function rowsOf(pools: readonly PoolRecord[]): unknown[] {
  const rows = pools.map(({ header }): PoolsNode => ({ kind: 'pool', poolId: header.id }))
  return rows.length === 0 ? [] : [rows[0], rows]
}
