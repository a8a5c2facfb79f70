import type { ProgramPoolFacts, ProgramRule, ProgramVerdict } from '../program-facts'
import type { VerdictCode } from '../verdict'
import { crashLoop } from './crash-loop'
import { forkWithThreads } from './fork-with-threads'
import { lostSomewhere } from './lost-somewhere'
import { lostTask } from './lost-task'
import { noLiveWorkers } from './no-live-workers'
import { noProgress } from './no-progress'
import { oomKilled } from './oom-killed'
import { orphanedQueueLock } from './orphaned-queue-lock'
import { outputPipeFull } from './output-pipe-full'
import { resultThreadDead } from './result-thread-dead'
import { selfWait } from './self-wait'
import { sigtermIgnored } from './sigterm-ignored'
import { slow } from './slow'
import { stopped } from './stopped'
import { uninterruptible } from './uninterruptible'
import { unserializableResult } from './unserializable-result'
import { zombie } from './zombie'

/** The gravest first: what keeps the whole pool from going on, then single workers, then what only explains. */
const rules: readonly ProgramRule[] = [
  crashLoop, orphanedQueueLock, lostTask, resultThreadDead, noLiveWorkers, lostSomewhere, stopped,
  zombie, uninterruptible, forkWithThreads, selfWait, outputPipeFull, noProgress, sigtermIgnored, oomKilled, unserializableResult, slow,
]

/** What a worker's own verdict explains: that its task does not get on, or takes long. */
const explainsNoProgress: ReadonlySet<VerdictCode> = new Set<VerdictCode>(['stopped', 'zombie', 'uninterruptible', 'fork-with-threads', 'self-wait', 'output-pipe-full'])

/** What the facts of a program's pool amount to, the gravest verdict first; empty when all is well. */
export function judgeProgramPool(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  // Its pools went with it.
  if (facts.parent.state === 'zombie') return []
  const found = rules.flatMap((rule) => rule(facts))
  const left = found.filter((verdict) => !isExplained(verdict, found, facts))
  return [...left.filter(({ stuck }) => stuck), ...left.filter(({ stuck }) => !stuck)]
}

/** True when another verdict says why this one holds, or says the same of the same worker better. */
function isExplained(verdict: ProgramVerdict, all: readonly ProgramVerdict[], facts: ProgramPoolFacts): boolean {
  const has = (code: VerdictCode, test: (other: ProgramVerdict) => boolean = () => true): boolean => all.some((other) => other !== verdict && other.code === code && test(other))
  const ofSameWorker = (other: ProgramVerdict): boolean => other.pid !== null && other.pid === verdict.pid
  const isSending = facts.workers.some(({ pid, task }) => pid === verdict.pid && task?.sending === true)
  const parentStopped = has('stopped', ({ pid, worker }) => worker === null && pid === facts.parent.pid)
  switch (verdict.code) {
    case 'stopped':
      // Ctrl-Z stops the workers with their program.
      return parentStopped && verdict.worker !== null
    case 'zombie':
    case 'no-live-workers':
      return parentStopped || (verdict.code === 'no-live-workers' && has('crash-loop'))
    case 'lost-task':
      // Without a culprit it is a guess, and everything that is known is better.
      return verdict.rescue.length === 0 && verdict.worker === null && facts.parent.answers
        && (has('orphaned-queue-lock') || has('result-thread-dead') || has('lost-task') || has('unserializable-result', ({ stuck }) => stuck) || has('stopped', ({ stuck }) => stuck))
    case 'result-thread-dead':
      return !verdict.stuck && has('no-live-workers')
    case 'no-progress':
      return all.some((other) => explainsNoProgress.has(other.code) && ofSameWorker(other)) || (isSending && (has('orphaned-queue-lock') || has('result-thread-dead') || parentStopped))
    case 'slow':
      return has('sigterm-ignored', ofSameWorker)
    default:
      return false
  }
}
