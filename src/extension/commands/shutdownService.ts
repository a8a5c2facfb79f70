import { window } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { ParamsOf, ShutdownTargetParams } from '../../protocol'
import type { FolderSession } from '../client/folderSession'
import type { Sessions } from '../client/sessions'
import type { PlacedWorker } from '../model/poolCatalog'
import type { PoolRecord } from '../model/poolStore'
import type { Prompts } from '../prompts/prompts'
import { planText } from '../text/shutdownPlan'
import { confirmAttached } from './attachedPrograms'
import { endingScope, type EndingScope } from './wholePrograms'

export type ShutdownMode = ParamsOf<'unhang/shutdown'>['mode']

/**
 * A shutdown is bounded by its passes, and a definition may ask for long ones; this only ends the wait for a host that
 * never answers. What it did is told by `unhang/shutdownDone` all the same.
 */
const shutdownTimeoutMs = 10 * 60_000

/** What is to be ended, with its host. */
type Placed = readonly (readonly [FolderSession | undefined, ShutdownTargetParams])[]

/**
 * Ends pools and workers through the hosts' one shutdown core, after asking where more than one is killed, or where a
 * program is ended that was not started here, or that is more than the pool that was chosen.
 */
export class ShutdownService {
  readonly #sessions: Sessions
  readonly #prompts: () => Prompts

  constructor(sessions: Sessions, prompts: () => Prompts) {
    this.#sessions = sessions
    this.#prompts = prompts
  }

  /** Ends whole pools. Resolves to false when the person said no. */
  async endPools(chosen: readonly PoolRecord[], mode: ShutdownMode): Promise<boolean> {
    const { catalog } = this.#sessions
    const { pools, inner } = endingScope(chosen, catalog)
    const workers = pools.reduce(
      (sum, pool) =>
        sum +
        liveWorkerCount(pool) +
        catalog.poolsOf(pool.header.id).reduce((inside, other) => inside + liveWorkerCount(other), 0),
      0,
    )
    const [only] = pools
    const what =
      pools.length !== 1 || only === undefined
        ? l10n.t('{0} pools with {1} workers', pools.length, workers)
        : only.header.program === null
          ? l10n.t('pool “{0}” with {1} workers', only.header.name, workers)
          : l10n.t('program “{0}” with {1} processes', only.header.name, workers)
    const placed = this.#placed(pools)
    // One question is enough: that before an attached program is ended names every pid.
    const isAttached = pools.some((pool) => catalog.programOf(pool)?.header.program?.readOnly === true)
    if (inner.length > 0) {
      if (!(await this.#confirmPrograms(inner, placed, mode))) return false
    } else if (mode === 'kill' && workers > 1 && !isAttached && !(await this.#confirmKill(what, workers, placed)))
      return false
    if (!(await this.#confirmAttached(pools, mode))) return false
    await this.#end(placed, mode)
    return true
  }

  /** Ends single workers; their pools go on and replace them. */
  async endWorkers(workers: readonly PlacedWorker[], mode: ShutdownMode): Promise<boolean> {
    const placed: Placed = workers.map(({ pool, worker }) => [
      this.#sessions.ofPool(pool.header.id),
      { kind: 'worker', poolId: pool.header.id, pid: worker.pid },
    ])
    if (
      mode === 'kill' &&
      workers.length > 1 &&
      !(await this.#confirmKill(l10n.t('{0} workers', workers.length), workers.length, placed))
    )
      return false
    if (
      !(await this.#confirmAttached(
        workers.map(({ pool }) => pool),
        mode,
      ))
    )
      return false
    await this.#end(placed, mode)
    return true
  }

  /**
   * Terminates every pool of every folder; not programs that are only looked at, which are nobody's to end by the way.
   */
  async terminateAll(): Promise<boolean> {
    const { catalog } = this.#sessions
    const pools = withoutInner(
      catalog.livePools.filter((pool) => catalog.programOf(pool)?.header.program?.readOnly !== true),
    )
    if (pools.length === 0) return false
    const placed = this.#placed(pools)
    if (pools.length > 1) {
      const confirmed = await this.#prompts().confirm({
        message: l10n.t('Terminate all {0} pools?', pools.length),
        detail: await this.#withPlan(
          l10n.t('Their running tasks are lost and their queued tasks never run.'),
          placed,
          'terminate',
        ),
        action: l10n.t('Terminate All'),
      })
      if (!confirmed) return false
    }
    await this.#end(placed, 'terminate')
    return true
  }

  #placed(pools: readonly PoolRecord[]): Placed {
    return pools.map((pool) => [this.#sessions.ofPool(pool.header.id), { kind: 'pool', poolId: pool.header.id }])
  }

  /** What is said of a shutdown, with what exactly it would do. */
  async #withPlan(text: string, placed: Placed, mode: ShutdownMode): Promise<string> {
    const answers = await Promise.all(
      [...bySession(placed)].map(([session, targets]) =>
        session.request('unhang/planShutdown', { targets, mode, askedBy: 'user' }),
      ),
    )
    const plan = planText(answers.flatMap(({ plans }) => plans))
    return plan === '' ? text : `${text}\n\n${plan}`
  }

  async #end(placed: Placed, mode: ShutdownMode): Promise<void> {
    await window.withProgress({ location: { viewId: 'unhang.pools' } }, () =>
      Promise.all(
        [...bySession(placed)].map(([session, targets]) =>
          session.request(
            'unhang/shutdown',
            { targets, mode, askedBy: 'user', reason: mode === 'kill' ? 'Kill in VS Code' : 'Terminate in VS Code' },
            { timeoutMs: shutdownTimeoutMs },
          ),
        ),
      ),
    )
  }

  #confirmAttached(pools: readonly PoolRecord[], mode: ShutdownMode): Promise<boolean> {
    return confirmAttached(pools, this.#sessions, this.#prompts(), mode)
  }

  async #confirmPrograms(inner: EndingScope['inner'], placed: Placed, mode: ShutdownMode): Promise<boolean> {
    const [first] = inner
    const programs = new Set(inner.map(({ program }) => program.header.id))
    const ending = this.#sessions.catalog.livePools.filter(
      ({ header }) => header.programId !== null && programs.has(header.programId),
    )
    return this.#prompts().confirm({
      message:
        inner.length === 1 && first !== undefined
          ? l10n.t('“{0}” is a pool of {1}. End the whole program?', first.pool.header.name, first.program.header.name)
          : l10n.t('{0} of these are pools of programs. End the whole programs?', inner.length),
      detail: await this.#withPlan(
        l10n.t(
          'A pool inside a program ends only with it. These pools end: {0}.',
          ending.map(({ header }) => header.name).join(', '),
        ),
        placed,
        mode,
      ),
      action: mode === 'kill' ? l10n.t('Kill Program (SIGKILL)') : l10n.t('Terminate Program'),
    })
  }

  async #confirmKill(what: string, workers: number, placed: Placed): Promise<boolean> {
    return this.#prompts().confirm({
      message: l10n.t('Kill {0} with SIGKILL?', what),
      detail: await this.#withPlan(
        l10n.t(
          'Workers end at once without cleanup and lose their tasks. Terminate (SIGTERM) lets them clean up first.',
        ),
        placed,
        'kill',
      ),
      action: l10n.t('Kill {0} Workers', workers),
    })
  }
}

function bySession(placed: Placed): Map<FolderSession, ShutdownTargetParams[]> {
  const targetsOf = new Map<FolderSession, ShutdownTargetParams[]>()
  for (const [session, target] of placed) {
    if (session === undefined) continue
    targetsOf.set(session, [...(targetsOf.get(session) ?? []), target])
  }
  return targetsOf
}

/** Without the pools of programs that are ended as well. */
function withoutInner(pools: readonly PoolRecord[]): PoolRecord[] {
  const ids = new Set(pools.map(({ header }) => header.id))
  return pools.filter(({ header }) => header.programId === null || !ids.has(header.programId))
}

/** Workers of a pool that can still be ended. */
export function liveWorkerCount(pool: PoolRecord): number {
  return [...pool.workers.values()].filter((worker) => worker.status !== 'exited').length
}
