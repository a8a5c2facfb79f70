import type { ShutdownTarget } from '../../../shutdown'
import { helperPids } from './membership'
import type { ParentView } from '../members/parentView'
import type { ProgramContext } from '../context/programContext'
import { rootKey, type ProgramMember } from '../members/programMember'

/**
 * Whom the end of a watched program is about: its main process, all that is known to belong to it, and last what Python
 * keeps to clean up behind them.
 * @param marker What the environment of the program and of all below it has.
 */
export async function targetsOf(
  live: readonly ProgramMember[],
  parents: ReadonlySet<ParentView>,
  marker: string,
  context: ProgramContext,
): Promise<ShutdownTarget[]> {
  const root = live.find(({ key }) => key === rootKey)?.identity
  const targets = live.flatMap(({ identity, name }): ShutdownTarget[] => {
    if (identity === undefined) return []
    return [{ identity, name, ...(identity === root ? { marker } : root === undefined ? {} : { below: root }) }]
  })
  return [...targets, ...(await helperTargets(parents, context))]
}

async function helperTargets(
  parents: ReadonlySet<ParentView>,
  { processes }: ProgramContext,
): Promise<ShutdownTarget[]> {
  const targets: ShutdownTarget[] = []
  for (const parent of parents) {
    for (const pid of helperPids(parent)) {
      const identity = await processes.identify(pid)
      const row = identity && (await processes.inspect(identity))
      // The pid is the program's word, as is the parent's: only the child of a process that is proven the program's is
      // taken for it.
      if (
        parent.identity !== undefined &&
        (await processes.exists(parent.identity)) &&
        identity !== undefined &&
        row?.parentPid === parent.pid
      )
        targets.push({ identity, name: `${row.command} (helper)`, helper: true })
    }
  }
  return targets
}
