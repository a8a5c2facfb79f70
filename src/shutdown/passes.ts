import { awaitEnd, type EndWatch } from './await-end'
import type { Family } from './family'
import type { TrackedProcess } from './tracked-process'
import type { ShutdownRequest, TermStep } from './types'

/** Sends one signal to many processes, through identity check and ledger. */
export type SendSignal = (members: readonly TrackedProcess[], signal: NodeJS.Signals) => Promise<void>

/** What the passes work with. */
export interface PassContext {
  readonly request: ShutdownRequest
  readonly family: Family
  readonly send: SendSignal
  readonly watch: EndWatch
}

/**
 * A process that got SIGKILL is only still there until the kernel has taken it down, which a large one or a busy machine delays;
 * less than this would report dead processes as alive. It ends early like every pass, and hung processes are not waited for.
 */
const shortestKillPassMs = 500

/** Closes the workers' channels and waits: a worker may finish up and leave by itself. */
export async function askPass({ request, family, watch }: PassContext): Promise<void> {
  const asked = family.workers.filter((worker) => !worker.over && worker.target?.ask !== undefined)
  if (asked.length === 0) return
  family.begin()
  for (const worker of asked) {
    try {
      worker.target?.ask?.()
    } catch (error) {
      // Not the end of the shutdown: the signals are still to come. A channel that broke with its worker throws like this.
      worker.foreseen.push(`could not be asked: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  // One that is stopped cannot hear.
  await awaitEnd(asked.filter((worker) => worker.state !== 'stopped'), request.gracePeriodMs, watch, { escalates: true })
}

/**
 * SIGTERM: first the workers, which get their grace period to end their own children as they see fit; then what is there of
 * their descendants, left behind or not, which get one too. (A shell with a trap waits for its child: ending that ends it.)
 */
export async function terminatePass({ request, family, send, watch }: PassContext): Promise<void> {
  const options = { signal: 'SIGTERM', escalates: request.useSigkill } as const
  for (const rank of [0, 1]) {
    const workers = family.workers.filter((worker) => !worker.over && rankOf(worker) === rank)
    if (workers.length === 0) continue
    // What these have started meanwhile may be found no more once they are gone.
    if (rank > 0) await family.recapture()
    await send(workers, 'SIGTERM')
    await awaitEnd(workers, request.gracePeriodMs, watch, options)
  }
  await family.recapture()
  const descendants = family.alive.filter((member) => member.descendantOf !== undefined)
  if (descendants.length > 0) {
    await send(descendants, 'SIGTERM')
    await awaitEnd(family.alive.filter((member) => rankOf(member) !== lastRank), request.gracePeriodMs, watch, options)
  }
  const last = await leftOfLast(family, request.gracePeriodMs, watch)
  if (last.length === 0) return
  await send(last, 'SIGTERM')
  await awaitEnd(last, request.gracePeriodMs, watch, options)
}

/** Those who end last and have not left by themselves, now that all else is gone. */
async function leftOfLast(family: Family, graceMs: number, watch: EndWatch): Promise<readonly TrackedProcess[]> {
  const last = (): TrackedProcess[] => family.alive.filter((member) => rankOf(member) === lastRank)
  if (last().length === 0) return []
  // While somebody is left, they stay as well; else they are about to leave.
  const areAlone = family.alive.every((member) => rankOf(member) === lastRank)
  await awaitEnd(last(), areAlone ? Math.max(graceMs, cleansUpWithinMs) : graceMs, watch, { escalates: true })
  return last()
}

const lastRank = 2

/** Python needs some 50 ms to notice, clean up and leave; on a loaded machine many times that. Ended before, it leaves semaphores behind. */
const cleansUpWithinMs = 1500

function rankOf(member: TrackedProcess): number {
  return member.target?.rank ?? 0
}

/** SIGKILL, for everything at once; and again for whatever was forked meanwhile. */
export async function killPass({ request, family, send, watch }: PassContext): Promise<void> {
  const deadlineMs = watch.elapsedMs() + Math.max(request.gracePeriodMs, shortestKillPassMs)
  const killed = new Set<TrackedProcess>()
  let ranked = family.workers.some((worker) => rankOf(worker) === lastRank)
  for (;;) {
    // What was found before is killed first: looking for more takes time in which it could fork.
    const alive = family.alive.filter((member) => !ranked || rankOf(member) !== lastRank)
    const fresh = alive.filter((member) => !killed.has(member))
    await send(fresh, 'SIGKILL')
    for (const member of fresh) killed.add(member)
    await awaitEnd(alive, Math.min(deadlineMs - watch.elapsedMs(), killRoundMs), watch, { signal: 'SIGKILL', escalates: false })
    const foundMore = await family.recapture()
    if (foundMore && watch.elapsedMs() < deadlineMs) continue
    if (ranked && family.alive.every((member) => rankOf(member) === lastRank)) {
      ranked = false
      if ((await leftOfLast(family, Math.min(request.gracePeriodMs, deadlineMs - watch.elapsedMs()), watch)).length === 0) return
      continue
    }
    if (watch.elapsedMs() >= deadlineMs || family.alive.every((member) => member.hung)) return
  }
}

/** How long the kill pass waits before it looks for new children again. */
const killRoundMs = 25

/** A custom escalation: each step goes to the workers and all their descendants, as GNU parallel's --termseq does. */
export async function termSequencePass({ family, send, watch }: PassContext, steps: readonly TermStep[]): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (index > 0) await family.recapture()
    const alive = family.alive
    if (alive.length === 0) return
    await send(alive, step.signal)
    await awaitEnd(alive, step.waitMs, watch, { signal: step.signal, escalates: index < steps.length - 1 })
  }
}
