import { duration, message } from '../messages'
import type { EvidenceMessage } from '../verdict'
import { isAnythingAwaited, isPool, quietEnoughMs } from './conditions'
import type { ProgramPoolFacts, ProgramWorkerFacts, ReaderFacts, WaitFacts } from './facts'
import { waitInWords } from './phrases'

/** Conditions and evidence of the rules for full pipes: whether a reader is left. */

/** Workers whose end is waited for, by the program or by one another. */
export function joined(facts: ProgramPoolFacts): readonly ProgramWorkerFacts[] {
  const pids = new Set([facts.parent.joins, ...facts.workers.map(({ wait }) => wait?.child ?? null)])
  return facts.workers.filter(({ pid }) => pids.has(pid))
}

/** The main thread of the program waits for this pool, for its results or for its end, and does nothing else. */
export function waitsForPool(facts: ProgramPoolFacts): boolean {
  // A program that polls with a timeout may drain the queue between polls, so that a timed wait is no proof. Neither is
  // a change within the last seconds: the wait for the last result may just be over.
  return (
    isPool(facts) &&
    facts.parent.wait?.timed !== true &&
    facts.unchangedMs >= quietEnoughMs &&
    (isAnythingAwaited(facts) || facts.state === 'close') &&
    /\bin (Pool|AsyncResult|IMapIterator|ProcessPoolExecutor|Executor|Future)\./.test(facts.parent.waitsIn ?? '')
  )
}

/** Neither another process nor, as far as known, a thread of the program itself can read. */
export function isWithoutReader({ parent, readers }: ProgramPoolFacts): boolean {
  return readers.count === 0 && parent.hasThreads !== true
}

/** {@link isWithoutReader}, proven: what the other threads of an attached program do is unknown. */
export function isProvenWithoutReader(facts: ProgramPoolFacts): boolean {
  return isWithoutReader(facts) && facts.parent.hasThreads === false
}

/** Without proof that no reader is left, only the full threshold counts: a reader may be slow. */
export function isQuietEnough(quietMs: number, isProven: boolean, stuckAfterMs: number): boolean {
  return quietMs >= (isProven ? quietEnoughMs : Math.max(quietEnoughMs, stuckAfterMs))
}

/** A reader that computes between two items will read on. */
export function areReadersQuiet({ count, quietMs }: ReaderFacts, stuckAfterMs: number): boolean {
  return count === 0 || quietMs >= stuckAfterMs
}

/** No byte was read from the pipe. */
export function notReadEvidence(heldMs: number): EvidenceMessage {
  return { what: message('bytes that were read from it'), value: message('none for {0}', duration(heldMs)) }
}

/** The write of the feeder thread of a worker. */
export function workerThreadEvidence({ name }: ProgramWorkerFacts, write: WaitFacts): EvidenceMessage {
  return { what: message('another thread of {0} waits for', name), value: waitInWords(write) }
}

/** Processes that wait for the end of one of these. */
export function joinEvidence(
  { parent, workers }: ProgramPoolFacts,
  ends: readonly ProgramWorkerFacts[],
): EvidenceMessage[] {
  const waiting = [
    { pid: parent.pid, child: parent.joins },
    ...workers.map(({ pid, wait }) => ({ pid, child: wait?.child ?? null })),
  ]
  const pids = new Set(ends.map(({ pid }) => pid))
  return waiting.flatMap(({ pid, child }) =>
    child === null || !pids.has(child)
      ? []
      : [{ what: message('process {0} waits for', pid), value: message('the end of process {0}', child) }],
  )
}
