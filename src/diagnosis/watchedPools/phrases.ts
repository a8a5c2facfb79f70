import type {
  JobFacts,
  ProgramExitFacts,
  ProgramPoolFacts,
  ProgramTaskFacts,
  ProgramWorkerFacts,
  StackFrameFacts,
  WaitFacts,
} from './facts'
import type { Evidence } from '../verdict'
import { exitInWords } from '../words'
import { isExecutor, isPool } from './conditions'

/** How verdicts on programs name things. */

/** `ForkPoolWorker-3 (pid 4711)`. */
export function nameOf({ name, pid }: ProgramWorkerFacts): string {
  return `${name} (pid ${pid})`
}

/** `task 7 run(7)`. */
export function taskName({ id, label }: ProgramTaskFacts): string {
  // Where the observer could not name it, the label is made of the id.
  return label === `task ${id}` || label === '' ? `task ${id}` : `task ${id} ${label}`
}

/** `exited with code 1`, `was ended by SIGKILL`. */
export function endedHow({ exitCode, signal }: ProgramExitFacts): string {
  if (signal !== null) return `was ended by ${signal}`
  return exitCode === null ? 'ended' : `exited with code ${exitCode}`
}

/** `exit -9 (SIGKILL)` and, as a further fact, whether that was us. */
export function exitEvidence(
  worker: ProgramWorkerFacts,
  { exitCode, signal, endedByUs, oomKills }: ProgramExitFacts,
): Evidence[] {
  return [
    { what: `exit of ${nameOf(worker)}`, value: exitInWords(exitCode, signal) },
    {
      what: 'our kill ledger',
      value:
        endedByUs === null ? 'no signal from us' : `ended by us: ${endedByUs.reason} (asked by ${endedByUs.askedBy})`,
    },
    ...(signal === 'SIGKILL' && oomKills !== null
      ? [{ what: 'OOM kills by the kernel while it ran', value: String(oomKills) }]
      : []),
  ]
}

/** Out of memory, as far as can be known: SIGKILL, not ours, and the kernel has counted a kill. */
export function isOomKill({ signal, endedByUs, oomKills }: ProgramExitFacts): boolean {
  return signal === 'SIGKILL' && endedByUs === null && (oomKills ?? 0) > 0
}

/** What else it costs to kill a worker: an executor does not outlive one, a pool puts another in its place. */
export function ifKilled(
  facts: Pick<ProgramPoolFacts, 'library'>,
  { name, task }: { readonly name: string; readonly task: Pick<ProgramTaskFacts, 'retriable'> | null },
): string {
  if (isExecutor(facts))
    return (
      `Killing ${name} breaks the executor: every future that is not done fails with ` +
      `${facts.library === 'loky' ? 'TerminatedWorkerError' : 'BrokenProcessPool'}.`
    )
  if (task === null) return isPool(facts) ? `The pool replaces ${name}.` : ''
  if (facts.library === 'billiard')
    return `Killing ${name} loses the task, which billiard fails by itself some 10 s later.`
  return `Killing ${name} loses the task, which a rescue can then fail${task.retriable ? ' or run again' : ''}.`
}

/** `1 task`, `12 tasks`, `2 processes`. */
export function count(number: number, what: string, ending = 's'): string {
  return `${number} ${what}${number === 1 ? '' : ending}`
}

/** The first few, and how many more there are. */
export function list(items: readonly string[], most = 5): string {
  return items.slice(0, most).join(', ') + (items.length > most ? ` and ${items.length - most} more` : '')
}

/** `a lock (futex 0x7f…, shared between processes)`. */
export function waitInWords({ kind, wchan, address, isPrivate, timed, descriptor, target, child }: WaitFacts): string {
  const where = wchan === '' ? '' : ` (${wchan})`
  switch (kind) {
    case 'futex':
      if (address === null) return `a lock${where}`
      return `a lock: futex ${address}, ${isPrivate ? 'of this process alone' : 'shared between processes'}${timed ? ', with a time limit' : ''}${where}`
    case 'pipe-read':
    case 'socket-read':
    case 'pipe-write':
    case 'socket-write': {
      const direction = kind.endsWith('read') ? 'reading' : 'writing'
      if (descriptor === 0 && kind.endsWith('read'))
        return `reading from stdin${target === null ? '' : `, ${target}`}${where}`
      const from = kind.endsWith('read') ? 'from' : 'to'
      return `${direction}${descriptor === null ? '' : ` ${from} descriptor ${descriptor}`}${target === null ? ` ${from} a ${kind.startsWith('pipe') ? 'pipe' : 'socket'}` : `, ${target}`}${where}`
    }
    case 'poll':
      return `input or a timer${where}`
    case 'child':
      return `${child === null ? 'a child process' : `the end of process ${child}`}${where}`
    case 'sleep':
      return `a timer${where}`
    case 'running':
      return 'nothing: it runs'
    case 'other':
      return wchan === '' ? 'unknown' : wchan
  }
}

/** Where a process of Python's begins; what is outside of it (its parent's start of it, when forked) tells nothing. */
const processFile = /(^|[/\\])(multiprocessing|billiard|loky[/\\]backend)[/\\]process\.py$/

/**
 * `pool.py:768 get, train.py:12 run`, innermost first. The libraries between the wait and the user's own code take some
 * six.
 */
export function framesInWords(stack: readonly StackFrameFacts[], most = 10): string {
  const begin = stack.findIndex(({ file }) => processFile.test(file))
  return list(
    (begin > 0 ? stack.slice(0, begin) : stack).map(
      ({ file, line, function: name }) => `${file.slice(file.lastIndexOf('/') + 1)}:${line} ${name}`,
    ),
    most,
  )
}

/** Where a worker waits, by the kernel and by its stack, as far as known. */
export function whereEvidence(worker: ProgramWorkerFacts): Evidence[] {
  return [
    ...(worker.wait === null ? [] : [{ what: `${worker.name} waits for`, value: waitInWords(worker.wait) }]),
    ...(worker.stack === null || worker.stack.length === 0
      ? []
      : [{ what: 'stack, innermost first', value: framesInWords(worker.stack) }]),
  ]
}

/** `11 of 12 results arrived`; empty where there is only one, or their number is not known. */
export function arrivedOf(jobs: readonly JobFacts[]): string {
  let total = 0
  let left = 0
  for (const job of jobs) {
    if (job.total === null || job.left === null) return ''
    total += job.total
    left += job.left
  }
  return total > 1 ? `${total - left} of ${total} results arrived` : ''
}

/** `map(run, 12 items): 1 not answered`. */
export function callWords({ call, function: name, total, left }: JobFacts): Evidence {
  // Of a task that no worker has taken the function is not known.
  const given = [name, total === null ? '' : count(total, 'item')].filter((word) => word !== '')
  return { what: `${call}(${given.join(', ')})`, value: left === null ? 'not all answered' : `${left} not answered` }
}

/** Where the program itself waits; nothing when it was not seen to. */
export function parentEvidence(facts: ProgramPoolFacts): Evidence[] {
  const { parent } = facts
  return [
    ...(parent.waitsIn === null ? [] : [{ what: `the program (pid ${parent.pid}) waits in`, value: parent.waitsIn }]),
    // Nobody asks one that is not watched.
    ...(parent.answers || !isPool(facts)
      ? []
      : [{ what: `the program (pid ${parent.pid})`, value: 'does not answer; what it said last was used' }]),
  ]
}
