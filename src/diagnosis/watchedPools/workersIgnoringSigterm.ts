import { duration, message, sentences, type Message, type Text } from '../messages'
import type { EvidenceMessage, Verdict } from '../verdict'
import { isExecutor, isLive, isPool, lockQuietMs } from './conditions'
import { whereEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, SigtermHandling } from './facts'
import { ifKilled } from './ifKilled'
import { nameOf, taskOrIts } from './phrases'
import { programVerdict } from './programVerdict'

/** Shorter tasks are not reported: they may set a handler for a moment on purpose. */
const runningLongEnoughMs = 1000

/** A handler may clean up before it ends the process, which takes a moment; a process that ignores SIGTERM does not. */
const cleansUpMs = 4000

type Unusual = Exclude<SigtermHandling, 'default' | null>

/**
 * `terminate()` will not end this worker (cause 10 in README.md): reported before any signal is sent, and as stuck once
 * one had no effect. A handler may end the process, so that `caught` is only reported when the worker installed the
 * handler itself.
 */
export function workersIgnoringSigterm(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker) => {
    const { sigterm, task } = worker
    if (!isLive(worker) || sigterm === null || sigterm === 'default') return []
    // These states explain the lack of movement, and some of them end.
    if (worker.state === 'stopped' || worker.state === 'uninterruptible') return []
    const survived = hasSurvived(facts, worker)
    if (
      !survived &&
      (task === null ||
        task.runningMs < runningLongEnoughMs ||
        (sigterm === 'caught' && facts.parent.sigterm === 'caught'))
    )
      return []
    return [
      programVerdict({
        code: 'sigterm-ignored',
        summary: survived ? survivedInWords(facts, worker, sigterm) : foreseenInWords(facts, worker, sigterm),
        evidence: [...sigtermEvidence(facts, worker, sigterm), ...whereEvidence(worker)],
        advice: sentences(
          message('Kill {0} (SIGKILL): that cannot be caught or ignored.', worker.name),
          ifKilled(facts, worker),
          survived ? '' : terminateInWords(facts),
        ),
        confidence: confidenceIn(sigterm, survived),
        stuck: survived,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      }),
    ]
  })
}

function survivedInWords({ pool }: ProgramPoolFacts, worker: ProgramWorkerFacts, sigterm: Unusual): Message {
  const name = nameOf(worker)
  switch (sigterm) {
    case 'ignored':
      return message('{0} of {1} was sent SIGTERM and is still there: it ignores SIGTERM.', name, pool)
    case 'blocked':
      return message('{0} of {1} was sent SIGTERM and is still there: it blocks SIGTERM.', name, pool)
    case 'caught':
      return message('{0} of {1} was sent SIGTERM and is still there: it catches SIGTERM.', name, pool)
  }
}

function foreseenInWords({ pool }: ProgramPoolFacts, worker: ProgramWorkerFacts, sigterm: Unusual): Message {
  const name = nameOf(worker)
  const task = taskOrIts(worker.task)
  switch (sigterm) {
    case 'ignored':
      return message('{0} of {1} ignores SIGTERM in {2}: terminate() will not end it.', name, pool, task)
    case 'blocked':
      return message('{0} of {1} blocks SIGTERM in {2}: terminate() will not end it.', name, pool, task)
    case 'caught':
      return message('{0} of {1} catches SIGTERM in {2}: terminate() may not end it.', name, pool, task)
  }
}

function sigtermEvidence(facts: ProgramPoolFacts, worker: ProgramWorkerFacts, sigterm: Unusual): EvidenceMessage[] {
  const { parent } = facts
  return [
    {
      what: message('SIGTERM in process {0}', worker.pid),
      value: sigterm === 'caught' ? message('caught by a handler') : handlingInWords(sigterm),
    },
    ...(parent.sigterm === null
      ? []
      : [
          {
            what: message('SIGTERM in the program (pid {0})', parent.pid),
            value: handlingInWords(parent.sigterm),
          },
        ]),
    ...(worker.sigtermPending ? [{ what: message('a SIGTERM that was sent'), value: message('is pending') }] : []),
    ...(worker.sigtermSentMs === null
      ? []
      : [{ what: message('a SIGTERM that we sent'), value: sentInWords(worker.sigtermSentMs, sigterm) }]),
    ...(facts.state === 'terminate'
      ? [
          {
            what: message('the pool'),
            value: message('was terminated, which sends SIGTERM and then waits without limit'),
          },
        ]
      : []),
  ]
}

function handlingInWords(sigterm: Exclude<SigtermHandling, null>): Message {
  switch (sigterm) {
    case 'default':
      return message('default')
    case 'ignored':
      return message('ignored')
    case 'blocked':
      return message('blocked')
    case 'caught':
      return message('caught')
  }
}

function sentInWords(agoMs: number, sigterm: Unusual): Message {
  return sigterm === 'ignored'
    ? message('{0} ago, has not ended it: it was discarded', duration(agoMs))
    : message('{0} ago, has not ended it', duration(agoMs))
}

function terminateInWords(facts: ProgramPoolFacts): Text {
  if (!isPool(facts)) return message('Process.terminate() only sends SIGTERM.')
  return isExecutor(facts)
    ? message('An executor that breaks ends its workers by SIGTERM, and would wait for this one for ever.')
    : message('Terminating the pool would wait for it for ever.')
}

/** Any SIGTERM: of ours, of another process, or of `terminate()`, which sends one to every worker before it waits. */
function hasSurvived(
  { state, stateMs }: ProgramPoolFacts,
  { sigterm, sigtermPending, sigtermSentMs, quietMs }: ProgramWorkerFacts,
): boolean {
  // It may have been quiet long before: the time since the pool began to end counts.
  return (
    sigtermPending ||
    sigtermSentMs !== null ||
    (state === 'terminate' && Math.min(quietMs, stateMs) >= (sigterm === 'caught' ? cleansUpMs : lockQuietMs))
  )
}

function confidenceIn(sigterm: Unusual, survived: boolean): Verdict['confidence'] {
  if (sigterm !== 'caught') return 'certain'
  return survived ? 'likely' : 'possible'
}
