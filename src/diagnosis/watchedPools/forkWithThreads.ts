import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { durationInWords } from '../words'
import { isLive, isPool, quietEnoughMs } from './conditions'
import { isInPoolWait } from './selfWait'
import { count, nameOf, taskName, whereEvidence } from './phrases'

/**
 * fork() copies locks, but not the threads that hold them: a worker with a single thread that waits for a lock of its
 * own process, without a time limit, waits for a thread that exists only in the parent (facts: cause 2,
 * python/cpython#90622).
 */
export function forkWithThreads(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, startMethod } = facts
  return facts.workers
    .filter((worker) => (startMethod === 'fork' || worker.forked === true) && waitsForThreadOfParent(worker))
    .map((worker) => {
      const { task, phase } = worker
      const others = otherThreadsOfParent(worker)
      const doing =
        task !== null
          ? `in ${taskName(task)}`
          : phase === 'starting'
            ? 'before its first task'
            : isPool(facts) && phase !== 'unknown'
              ? 'between tasks'
              : null
      return {
        code: 'fork-with-threads' as const,
        summary:
          `${nameOf(worker)} of ${pool} will wait for ever${doing === null ? '' : ` ${doing}`}: it was forked ` +
          `while the program had ${count(others, 'other thread')}, and waits for a lock that nobody in it can release.`,
        evidence: [
          {
            what: 'threads of the program when it was forked, besides the main one and those of the pool',
            value: String(others),
          },
          {
            what: `threads of ${worker.name}`,
            value: '1: fork() copies the locks, but none of the threads that hold them',
          },
          ...whereEvidence(worker),
          { what: 'CPU time', value: `none for ${durationInWords(worker.quietMs)}` },
        ],
        advice:
          `Start ${isPool(facts) ? 'the pool' : 'processes'} before any thread, or use the start method "spawn" or ` +
          '"forkserver": multiprocessing.set_start_method("spawn").',
        // That it never goes on is certain; it could also have taken its own lock twice.
        confidence: 'likely' as const,
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      }
    })
}

function waitsForThreadOfParent(worker: ProgramWorkerFacts): boolean {
  const { wait, threads, quietMs, aloneMs } = worker
  // Seen alone in that wait once, it may have been woken by a thread of its own that has just ended.
  return (
    isLive(worker) &&
    threads === 1 &&
    aloneMs > 0 &&
    otherThreadsOfParent(worker) > 0 &&
    quietMs >= quietEnoughMs &&
    wait?.kind === 'futex' &&
    wait.address !== null &&
    wait.isPrivate &&
    !wait.timed &&
    !isInPoolWait(worker)
  )
}

function otherThreadsOfParent({ parentThreadsAtStart }: ProgramWorkerFacts): number {
  return (parentThreadsAtStart ?? 1) - 1
}
