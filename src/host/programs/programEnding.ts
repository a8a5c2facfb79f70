import type { ShutdownTarget } from '../../shutdown'
import { helperPids } from './census'
import { rescueAnswerSchema } from './observerMessages'
import type { ParentView } from './parentView'
import type { ProgramContext } from './programContext'
import type { ProgramMember } from './programMember'

/** Long enough for an interpreter that runs, and no burden on a shutdown when it does not. */
const stopRefillMs = 300

/** A pool that goes on to replace its workers would make the shutdown a race; of one that does not answer, new workers are caught as descendants. */
export async function stopRefill(parents: ReadonlySet<ParentView>, { log }: ProgramContext): Promise<void> {
  await Promise.all([...parents].filter(({ link }) => link.connected).map(({ pid, link }) =>
    link.ask('stopRefill', {}, rescueAnswerSchema, stopRefillMs).catch((error: unknown) => {
      log.debug('The refill was not stopped.', { pid, error: String(error) })
    })))
}

/**
 * Whom the end of a watched program is about: the workers first, then the program and whatever makes pools in it, and last what Python
 * keeps to clean up behind them.
 * @param marker What the environment of the program and of all below it has.
 */
export async function targetsOf(live: readonly ProgramMember[], parents: ReadonlySet<ParentView>, marker: string, context: ProgramContext): Promise<ShutdownTarget[]> {
  const makers = new Set([...parents].map(({ pid }) => pid))
  const targets = live.flatMap(({ identity, name, key, pid }): ShutdownTarget[] => {
    if (identity === undefined) return []
    const isRoot = key === 'root'
    return [{ identity, name, rank: isRoot || makers.has(pid) ? 1 : 0, ...(isRoot ? { marker } : {}) }]
  })
  return [...targets, ...(await helperTargets(parents, context))]
}

async function helperTargets(parents: ReadonlySet<ParentView>, { processes }: ProgramContext): Promise<ShutdownTarget[]> {
  const targets: ShutdownTarget[] = []
  for (const parent of parents) {
    for (const pid of helperPids(parent)) {
      const identity = await processes.identify(pid)
      const row = identity && (await processes.inspect(identity))
      // The pid is the program's word, as is the parent's: only the child of a process that is proven the program's is taken for it.
      if (parent.identity !== undefined && (await processes.exists(parent.identity)) && identity !== undefined && row?.parentPid === parent.pid) targets.push({ identity, name: `${row.command} (helper)`, rank: 2 })
    }
  }
  return targets
}
