import { duration, list, message, sentences, type Message, type Text } from '../messages'
import type { EvidenceMessage } from '../verdict'
import { isAnythingAwaited, isOpen, isPool, mayBeEnding } from './conditions'
import { exitEvidence, parentEvidence } from './poolEvidence'
import type { ProgramExitFacts, ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { endedHow, nameOf } from './phrases'
import { programVerdict } from './programVerdict'

/**
 * From the first sample in which a worker was dead to the newest: pools collect their workers several times a second.
 */
const uncollectedForMs = 2000

interface DeadWorker {
  readonly worker: ProgramWorkerFacts
  readonly exit: ProgramExitFacts
}

/**
 * State Z: dead, but not collected by its parent; kill(pid, 0) still succeeds (cause 14 in README.md). In a pool it
 * means that the thread that replaces workers does not run, because the program is in C code that holds the GIL. It
 * explains; a lost task has its own `lost-task`. A program may collect its own Processes as late as it likes.
 */
export function zombieWorkers(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  if (!isPool(facts) || !collectsWorkers(facts)) return []
  const dead = uncollected(facts)
  const [first] = dead
  if (first === undefined) return []
  const only = dead.length === 1 ? first : undefined
  return [
    programVerdict({
      code: 'zombie',
      summary: only === undefined ? severalInWords(facts, dead) : oneInWords(facts, only),
      evidence: [
        ...(only === undefined ? evidenceOfSeveral(facts, dead) : evidenceOfOne(facts, only)),
        ...parentEvidence(facts),
      ],
      advice: adviceFor(facts, only !== undefined),
      confidence: 'certain',
      stuck: false,
      worker: only?.worker.name ?? null,
      pid: only?.worker.pid ?? null,
      task: only?.worker.task?.id ?? null,
      rescue: [],
    }),
  ]
}

function uncollected(facts: ProgramPoolFacts): DeadWorker[] {
  return facts.workers.flatMap((worker) => {
    const { exit } = worker
    // Exit code 0: it has done its share of tasks. A program that is in C code for a while replaces it afterwards.
    return exit?.uncollected === true &&
      exit.agoMs >= (exit.exitCode === 0 ? facts.stuckAfterMs : uncollectedForMs) &&
      !mayBeEnding(facts, exit)
      ? [{ worker, exit }]
      : []
  })
}

function oneInWords({ pool }: ProgramPoolFacts, { worker, exit }: DeadWorker): Message {
  return message(
    '{0} of {1} is dead (it {2}) but was not collected by its program, so nobody replaces it.',
    nameOf(worker),
    pool,
    endedHow(exit),
  )
}

function severalInWords({ pool }: ProgramPoolFacts, dead: readonly DeadWorker[]): Message {
  return message(
    '{0} workers of {1} are dead but were not collected by their program, so nobody replaces them: {2}.',
    dead.length,
    pool,
    list(
      dead.map(({ worker }) => nameOf(worker)),
      3,
    ),
  )
}

function evidenceOfOne({ parent }: ProgramPoolFacts, { worker, exit }: DeadWorker): EvidenceMessage[] {
  return [
    { what: message('state of process {0}', worker.pid), value: message('Z (zombie)') },
    ...exitEvidence(worker, exit),
    {
      what: message('the program (pid {0})', parent.pid),
      value: message('has not waited for it in {0}', duration(exit.agoMs)),
    },
  ]
}

function evidenceOfSeveral({ parent }: ProgramPoolFacts, dead: readonly DeadWorker[]): EvidenceMessage[] {
  return [
    { what: message('state of these processes'), value: message('Z (zombie)') },
    ...dead.slice(0, 5).map(({ worker, exit }) => ({ what: nameOf(worker), value: endedHow(exit) })),
    { what: message('the program (pid {0})', parent.pid), value: message('has not waited for them') },
  ]
}

function adviceFor({ parent }: ProgramPoolFacts, isOne: boolean): Text {
  return sentences(
    isOne
      ? message(
          'Nothing can be signalled any more; it goes when the program (pid {0}) collects it or ends.',
          parent.pid,
        )
      : message(
          'Nothing can be signalled any more; they go when the program (pid {0}) collects them or ends.',
          parent.pid,
        ),
    parent.answers
      ? ''
      : message('As that does not answer, it probably stands in C code that keeps the GIL: its stack shows where.'),
  )
}

/**
 * The thread that replaces workers ends with the last call of a closed pool: workers that exit afterwards are collected
 * by `join()`, or never.
 */
function collectsWorkers(facts: ProgramPoolFacts): boolean {
  return isOpen(facts) && facts.threads?.workers !== false && (facts.state !== 'close' || isAnythingAwaited(facts))
}
