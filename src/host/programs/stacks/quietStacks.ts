import type { ProgramContext } from '../context/programContext'
import type { ProgramMember } from '../members/programMember'
import { readSignalStack } from './signalStack'
import { steadyMs } from '../context/steadyTime'
import type { WatchSession } from '../observers/watchSession'

/** A task that is quiet for this long may show where it is. */
const stackAfterMs = 1500
/** Others are asked at the next look: the verdicts of a thousand workers should not wait for all of their stacks. */
const stacksWithinMs = 500

export interface QuietStacksSource {
  readonly session: WatchSession
  readonly context: ProgramContext
  /** False for a signal that means something else to the program. */
  readonly mayAsk: (signal: number) => boolean
}

/**
 * Where quiet tasks that wait for a lock are: that tells one that waits for its own pool from one that nobody can wake.
 */
export async function takeQuietStacks(
  members: readonly ProgramMember[],
  { session, context, mayAsk }: QuietStacksSource,
  now: number,
): Promise<void> {
  for (const member of members) {
    const { recorded, identity } = member
    if (
      identity === undefined ||
      recorded === undefined ||
      !isDue(member, recorded, now) ||
      !mayAsk(recorded.stackSignal)
    )
      continue
    if (steadyMs() - now > stacksWithinMs) return
    member.stackCounter = member.stackOf = recorded.counter
    const before = await context.processes.waits(identity)
    const threads = await readSignalStack(
      session.file(`stack-${member.pid}`),
      { identity, name: member.name, signal: recorded.stackSignal },
      context,
    )
    const main = threads?.find(({ current }) => current) ?? threads?.at(-1)
    member.stack = main?.frames ?? null
    member.standstill.excuse(before?.switches ?? null, (await context.processes.waits(identity))?.switches ?? null)
    if (threads) member.standstill.noteThreads(threads)
    else if (!member.hasTask && member.standstill.mayAskAgain()) member.stackCounter = -1
  }
}

function isDue(member: ProgramMember, recorded: NonNullable<ProgramMember['recorded']>, now: number): boolean {
  if (member.stackCounter === recorded.counter) return false
  const isPlain = recorded.poolKey === 0
  // One that starts may wait in its initializer.
  if (!member.hasTask && !isPlain && recorded.ready) return false
  // Only what waits for a lock is interrupted, or for a message: it goes on waiting, where a system call of a library
  // might fail.
  const mayBeInterrupted = member.wait?.kind === 'futex' || (isPlain && member.wait?.kind === 'pipe-read')
  if (!mayBeInterrupted || member.movement.quietMs(now) < stackAfterMs) return false
  // One that moves from look to look, as who asks again and again does, shows where it is once a task.
  return (
    member.stackOf !== recorded.counter ||
    (member.standstill.waitsMs > 0 && !(member.hasTask && member.wait?.timed === true))
  )
}
