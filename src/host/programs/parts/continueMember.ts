import type { ProgramContext } from '../context/programContext'
import type { ProgramPart } from './programPart'

/** What a rescue did, or why it did nothing. */
export interface RescueOutcome {
  readonly done: boolean
  readonly text: string
}

/** SIGCONT to a process that is stopped right now. */
export async function continueMember(
  pool: ProgramPart,
  pid: number,
  askedBy: 'user' | 'cli' | 'policy',
  { processes, kills }: ProgramContext,
): Promise<RescueOutcome> {
  const member = pool.members.byPid(pid)
  const identity = member?.identity
  const row = identity && (await processes.inspect(identity))
  if (member === undefined || identity === undefined || row?.state !== 'stopped')
    return { done: false, text: `process ${pid} is not stopped (any more)` }
  const outcome = await processes.signal(identity, 'SIGCONT')
  kills.record({
    at: Date.now(),
    identity,
    name: member.name,
    subjectId: pool.id,
    signal: 'SIGCONT',
    outcome,
    reason: 'rescue: it was stopped',
    askedBy,
  })
  return outcome === 'sent'
    ? { done: true, text: `${member.name} (pid ${pid}) goes on` }
    : { done: false, text: `SIGCONT to ${member.name} (pid ${pid}): ${outcome}` }
}
