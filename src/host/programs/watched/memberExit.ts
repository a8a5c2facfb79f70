import type { ProcessIdentity } from '../../../processes'
import { explainExit } from '../../../shutdown'
import type { ProgramContext } from '../context/programContext'
import { steadyOf } from '../context/steadyTime'
import type { MemberExit, ProgramMember } from '../members/programMember'

/** A process, and the count of the OOM killer in its control group when it was first seen. */
interface OomStart {
  readonly identity?: ProcessIdentity | undefined
  readonly oomKillsBefore: number | null
}

/**
 * How a process of a program ended: by a signal of ours, by the OOM killer, or otherwise.
 * @param at Epoch ms.
 * @param above The process that started it, and the program.
 */
export async function memberExit(
  member: ProgramMember,
  exit: { exitCode: number | null; signal: NodeJS.Signals | null },
  at: number,
  above: readonly (OomStart | undefined)[],
  { kills, processes }: Pick<ProgramContext, 'kills' | 'processes'>,
): Promise<MemberExit> {
  const cause = member.identity ? explainExit(exit, kills.entriesFor(member.identity)) : undefined
  return {
    ...exit,
    at,
    steadyAt: steadyOf(at),
    oomKills: exit.signal === 'SIGKILL' ? await oomKillsSince([member, ...above], processes) : null,
    endedByUs: cause?.kind === 'ours' ? { askedBy: cause.entry.askedBy, reason: cause.entry.reason } : null,
  }
}

/**
 * Kills of the OOM killer since each of the processes was first seen, in the control group of each: a program that was
 * started through something else (`systemd-run --scope`) moves into its own group only then.
 */
async function oomKillsSince(
  starts: readonly (OomStart | undefined)[],
  processes: ProgramContext['processes'],
): Promise<number | null> {
  const counts = await Promise.all(
    starts.map(async (start) => {
      if (start?.identity === undefined || start.oomKillsBefore === null) return null
      const total = await processes.oomKills(start.identity)
      return total === null ? null : total - start.oomKillsBefore
    }),
  )
  const known = counts.filter((count) => count !== null)
  return known.length === 0 ? null : Math.max(...known)
}
