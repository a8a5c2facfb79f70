import type { ProgramPoolFacts, ProgramRule, ProgramVerdict } from './facts'
import type { VerdictCode } from '../verdict'
import { callbackWaits } from './callbackWaits'
import { forkWithThreads } from './forkWithThreads'
import { lostSomewhere } from './lostSomewhere'
import { lostTasks } from './lostTasks'
import { noLiveWorkers } from './noLiveWorkers'
import { oomKilled } from './oomKilled'
import { orphanedQueueLock } from './orphanedQueueLock'
import { outputPipeFull } from './outputPipeFull'
import { resultThreadDead } from './resultThreadDead'
import { selfWait } from './selfWait'
import { slowTasks } from './slowTasks'
import { standstill } from './standstill'
import { stoppedProcesses } from './stoppedProcesses'
import { uninterruptibleWorkers } from './uninterruptibleWorkers'
import { unsentResults } from './unsentResults'
import { withoutProgress } from './withoutProgress'
import { workerCrashLoop } from './workerCrashLoop'
import { workersIgnoringSigterm } from './workersIgnoringSigterm'
import { zombieWorkers } from './zombieWorkers'

/** The gravest first: what blocks the whole pool, then single workers, then verdicts that only explain. */
const rules: readonly ProgramRule[] = [
  workerCrashLoop,
  orphanedQueueLock,
  lostTasks,
  resultThreadDead,
  callbackWaits,
  noLiveWorkers,
  lostSomewhere,
  stoppedProcesses,
  uninterruptibleWorkers,
  forkWithThreads,
  selfWait,
  outputPipeFull,
  standstill,
  withoutProgress,
  workersIgnoringSigterm,
  oomKilled,
  zombieWorkers,
  unsentResults,
  slowTasks,
]

/** Verdicts on a worker that explain why its task makes no progress, or is slow. */
const explainsNoProgress: ReadonlySet<VerdictCode> = new Set<VerdictCode>([
  'stopped',
  'uninterruptible',
  'fork-with-threads',
  'self-wait',
  'output-pipe-full',
])

/** Verdicts that say more than `slow`: where the worker waits. */
const explainsSlow: ReadonlySet<VerdictCode> = new Set<VerdictCode>(['sigterm-ignored', 'output-pipe-full'])

/** The verdicts on a watched pool, the gravest first; empty for a healthy one. */
export function judgeProgramPool(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  // The pools of a dead program are gone.
  if (facts.parent.state === 'zombie') return []
  const found = new Findings(
    rules.flatMap((rule) => rule(facts)),
    facts,
  )
  const left = found.all.filter((verdict) => !isExplained(verdict, found))
  return [...left.filter(({ stuck }) => stuck), ...left.filter(({ stuck }) => !stuck)]
}

/** All verdicts, before any is left out, indexed by code and pid: a pool may have a thousand. */
class Findings {
  readonly parentStopped: boolean
  /** A callback waits in the thread that receives results. */
  readonly isHeldUp: boolean
  readonly #byCode = new Map<VerdictCode, ProgramVerdict[]>()
  readonly #codesOfPid = new Map<number, Set<VerdictCode>>()
  readonly #sending: ReadonlySet<number>

  constructor(
    readonly all: readonly ProgramVerdict[],
    readonly facts: ProgramPoolFacts,
  ) {
    for (const verdict of all) {
      const { code, pid } = verdict
      const same = this.#byCode.get(code)
      if (same === undefined) this.#byCode.set(code, [verdict])
      else same.push(verdict)
      if (pid !== null) this.#codesOfPid.set(pid, (this.#codesOfPid.get(pid) ?? new Set()).add(code))
    }
    this.#sending = new Set(facts.workers.flatMap(({ pid, task }) => (task?.sending === true ? [pid] : [])))
    const isOfParent = ({ pid, worker }: ProgramVerdict) => worker === null && pid === facts.parent.pid
    this.isHeldUp =
      facts.callback !== null && (this.has('self-wait', isOfParent) || this.has('no-progress', isOfParent))
    this.parentStopped = this.has('stopped', isOfParent)
  }

  has(code: VerdictCode, test: (verdict: ProgramVerdict) => boolean = () => true): boolean {
    return this.#byCode.get(code)?.some(test) === true
  }

  /** Other verdicts on the same process. */
  ofSame({ pid }: ProgramVerdict, codes: ReadonlySet<VerdictCode>): boolean {
    const own = pid === null ? undefined : this.#codesOfPid.get(pid)
    return own !== undefined && [...own].some((code) => codes.has(code))
  }

  isSending({ pid }: ProgramVerdict): boolean {
    return pid !== null && this.#sending.has(pid)
  }
}

/** True when another verdict gives the reason for this one, or says more about the same worker. */
function isExplained(verdict: ProgramVerdict, found: Findings): boolean {
  const { parentStopped } = found
  switch (verdict.code) {
    case 'stopped':
      // Ctrl-Z stops the workers with their program.
      return parentStopped && verdict.worker !== null
    case 'zombie':
    case 'no-live-workers':
      return parentStopped || (verdict.code === 'no-live-workers' && found.has('crash-loop'))
    case 'lost-task':
      // Without a known worker it is a guess: any verdict with proof is better.
      return (
        verdict.rescue.length === 0 &&
        verdict.worker === null &&
        found.facts.parent.answers &&
        (found.has('orphaned-queue-lock') ||
          found.has('result-thread-dead') ||
          found.has('lost-task', (other) => other !== verdict) ||
          found.has('unserializable-result', ({ stuck }) => stuck) ||
          found.has('stopped', ({ stuck }) => stuck))
      )
    case 'result-thread-dead':
      return !verdict.stuck && found.has('no-live-workers')
    case 'self-wait':
      // The others, and the program, wait for a process that cannot go on.
      return (
        verdict.worker === null &&
        (found.has('fork-with-threads') || found.has('output-pipe-full', ({ stuck }) => stuck))
      )
    case 'no-progress':
      return (
        found.ofSame(verdict, explainsNoProgress) ||
        (found.isSending(verdict) &&
          (found.has('orphaned-queue-lock') || found.has('result-thread-dead') || found.isHeldUp || parentStopped))
      )
    case 'slow':
      return found.ofSame(verdict, explainsSlow)
    default:
      return false
  }
}
