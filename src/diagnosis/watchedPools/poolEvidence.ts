import { ledgerEvidence } from '../evidence'
import { bytes, commaSeparated, duration, exitNotation, items, list, message, type Text } from '../messages'
import type { EvidenceMessage } from '../verdict'
import { isPool } from './conditions'
import type { JobFacts, ProgramExitFacts, ProgramPoolFacts, ProgramWorkerFacts } from './facts'
import { ended, framesInWords, nameOf, waitInWords } from './phrases'

/** Evidence that several rules for watched pools show. */

/** `exit -9 (SIGKILL)`, whether the signal was ours, and for a SIGKILL the OOM kills of the kernel. */
export function exitEvidence(
  worker: ProgramWorkerFacts,
  { exitCode, signal, endedByUs, oomKills }: ProgramExitFacts,
): EvidenceMessage[] {
  return [
    { what: message('exit of {0}', nameOf(worker)), value: exitNotation(exitCode, signal) },
    ledgerEvidence(endedByUs),
    ...(signal === 'SIGKILL' && oomKills !== null
      ? [{ what: message('OOM kills by the kernel while it ran'), value: oomKills }]
      : []),
  ]
}

/** `ForkPoolWorker-3 (pid 4711) exited with code 1 6.0 s ago`, one after the other; nothing without exits. */
export function lastExitsEvidence(workers: readonly ProgramWorkerFacts[]): EvidenceMessage[] {
  const exits = workers.flatMap((worker) =>
    worker.exit === null
      ? []
      : [message('{0} {1} ago', ended(nameOf(worker), worker.exit), duration(worker.exit.agoMs))],
  )
  return exits.length === 0 ? [] : [{ what: message('last exits'), value: list(exits) }]
}

/** `ForkPoolWorker-3 waits for: a lock`, when the kernel showed a wait. */
export function waitEvidence({ name, wait }: ProgramWorkerFacts): EvidenceMessage[] {
  return wait === null ? [] : [{ what: message('{0} waits for', name), value: waitInWords(wait) }]
}

/** Where a worker waits, by the kernel and by its stack, as far as known. */
export function whereEvidence(worker: ProgramWorkerFacts): EvidenceMessage[] {
  const { stack } = worker
  return [
    ...waitEvidence(worker),
    ...(stack === null || stack.length === 0
      ? []
      : [{ what: message('stack, innermost first'), value: framesInWords(stack) }]),
  ]
}

/** The workers that wait for a lock, with the address of its futex; nothing without such workers. */
export function lockWaitEvidence(waiting: readonly ProgramWorkerFacts[]): EvidenceMessage[] {
  if (waiting.length === 0) return []
  const names = list(waiting.map(nameOf))
  const addresses = [...new Set(waiting.flatMap(({ wait }) => wait?.address ?? []))]
  const [first] = addresses
  return [
    {
      what: message('workers that wait for it'),
      value:
        first === undefined
          ? names
          : addresses.length === 1
            ? message('{0}, all at futex {1}', names, first)
            : message('{0}, at futexes {1}', names, list(addresses)),
    },
  ]
}

/** `threads of ForkPoolWorker-3: 1`. */
export function threadsEvidence({ name }: ProgramWorkerFacts, value: Text): EvidenceMessage {
  return { what: message('threads of {0}', name), value }
}

/** `map(run, 12 items): 1 not answered`, for the first few calls. */
export function callEvidence(jobs: readonly JobFacts[]): EvidenceMessage[] {
  return jobs.slice(0, 5).map(({ call, function: name, total, left }) => {
    // The function is unknown until a worker has taken a task.
    const given = [name, total === null ? '' : items(total)].filter((word) => word !== '')
    return {
      what: message('{0}({1})', call, commaSeparated(given)),
      value: left === null ? message('not all answered') : message('{0} not answered', left),
    }
  })
}

/** Results that have arrived in the parent and stay in the pipe; nothing when unknown. */
export function unreadResultsEvidence({ resultPipeBytes }: ProgramPoolFacts): EvidenceMessage[] {
  return resultPipeBytes === null
    ? []
    : [{ what: message('results in the pipe that nobody reads'), value: bytes(resultPipeBytes) }]
}

/** Where the program itself waits, when that was seen, and whether it answers. */
export function parentEvidence(facts: ProgramPoolFacts): EvidenceMessage[] {
  const { pid, waitsIn, answers } = facts.parent
  return [
    ...(waitsIn === null ? [] : [{ what: message('the program (pid {0}) waits in', pid), value: waitsIn }]),
    // Attached programs have no observer that could answer.
    ...(answers || !isPool(facts)
      ? []
      : [
          {
            what: message('the program (pid {0})', pid),
            value: message('does not answer; what it said last was used'),
          },
        ]),
  ]
}
