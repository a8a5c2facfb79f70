import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import type { Verdict } from '../verdict'
import { durationInWords } from '../words'
import { isExecutor, isLive, isPool, lockQuietMs } from './conditions'
import { ifKilled, nameOf, taskName, whereEvidence } from './phrases'

/** Tasks that are over sooner are nobody's business: a handler may be set for a moment on purpose. */
const runningLongEnoughMs = 1000

/** A handler may tidy up before it ends the process, which takes a moment; who ignores the signal has nothing to do. */
const tidiesUpMs = 4000

/**
 * `terminate()` will not end this worker: told before any signal is sent (facts: cause 10), and stuck once one was sent
 * in vain. A handler may well end the process, so that catching is only worth a word when the worker set the handler
 * itself.
 */
export function workersIgnoringSigterm(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker) => {
    const { sigterm, task } = worker
    if (!isLive(worker) || sigterm === null || sigterm === 'default') return []
    // These states explain why nothing happens, and some of them end.
    if (worker.state === 'stopped' || worker.state === 'uninterruptible') return []
    const survived = hasSurvived(facts, worker)
    if (
      !survived &&
      (task === null ||
        task.runningMs < runningLongEnoughMs ||
        (sigterm === 'caught' && facts.parent.sigterm === 'caught'))
    )
      return []
    const how = { ignored: 'ignores SIGTERM', blocked: 'blocks SIGTERM', caught: 'catches SIGTERM' }[sigterm]
    return [
      {
        code: 'sigterm-ignored' as const,
        summary: survived
          ? `${nameOf(worker)} of ${facts.pool} was sent SIGTERM and is still there: it ${how}.`
          : `${nameOf(worker)} of ${facts.pool} ${how} in ${task === null ? 'its task' : taskName(task)}: ` +
            `terminate() ${sigterm === 'caught' ? 'may' : 'will'} not end it.`,
        evidence: [
          {
            what: `SIGTERM in process ${worker.pid}`,
            value: { ignored: 'ignored', blocked: 'blocked', caught: 'caught by a handler' }[sigterm],
          },
          ...(facts.parent.sigterm === null
            ? []
            : [{ what: `SIGTERM in the program (pid ${facts.parent.pid})`, value: facts.parent.sigterm }]),
          ...(worker.sigtermPending ? [{ what: 'a SIGTERM that was sent', value: 'is pending' }] : []),
          ...(worker.sigtermSentMs === null
            ? []
            : [
                {
                  what: 'a SIGTERM that we sent',
                  value:
                    `${durationInWords(worker.sigtermSentMs)} ago, has not ended ` +
                    `it${sigterm === 'ignored' ? ': it was discarded' : ''}`,
                },
              ]),
          ...(facts.state === 'terminate'
            ? [{ what: 'the pool', value: 'was terminated, which sends SIGTERM and then waits without limit' }]
            : []),
          ...whereEvidence(worker),
        ],
        advice: [
          `Kill ${worker.name} (SIGKILL): that cannot be caught or ignored.`,
          ifKilled(facts, worker),
          survived ? '' : whatTerminateDoes(facts),
        ]
          .filter((text) => text !== '')
          .join(' '),
        confidence: confidenceIn(sigterm, survived),
        stuck: survived,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      },
    ]
  })
}

function whatTerminateDoes(facts: ProgramPoolFacts): string {
  if (!isPool(facts)) return 'Process.terminate() only sends SIGTERM.'
  return isExecutor(facts)
    ? 'An executor that breaks ends its workers by SIGTERM, and would wait for this one for ever.'
    : 'Terminating the pool would wait for it for ever.'
}

/** A signal of ours or of anybody, or `terminate()`, which sends SIGTERM to every worker before it waits. */
function hasSurvived(
  { state, stateMs }: ProgramPoolFacts,
  { sigterm, sigtermPending, sigtermSentMs, quietMs }: ProgramWorkerFacts,
): boolean {
  // Quiet it may have been long before: what counts is how long ago the pool began to end.
  return (
    sigtermPending ||
    sigtermSentMs !== null ||
    (state === 'terminate' && Math.min(quietMs, stateMs) >= (sigterm === 'caught' ? tidiesUpMs : lockQuietMs))
  )
}

function confidenceIn(sigterm: 'ignored' | 'blocked' | 'caught', survived: boolean): Verdict['confidence'] {
  if (sigterm !== 'caught') return 'certain'
  return survived ? 'likely' : 'possible'
}
