import { noCpuEvidence } from '../evidence'
import { message, type Message } from '../messages'
import { isLive, isPool, quietEnoughMs } from './conditions'
import { threadsEvidence, whereEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'
import { isInPoolWait } from './poolWaits'

/**
 * fork() copies locks, but not the threads that hold them. A worker with a single thread that waits for a lock of its
 * own process, without a time limit, waits for a thread that exists only in the parent (cause 2 in README.md).
 */
export function forkWithThreads(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers
    .filter((worker) => (facts.startMethod === 'fork' || worker.forked === true) && waitsForThreadOfParent(worker))
    .map((worker) =>
      programVerdict({
        code: 'fork-with-threads',
        summary: summaryOf(facts, worker),
        evidence: [
          {
            what: message('threads of the program when it was forked, besides the main one and those of the pool'),
            value: otherThreadsOfParent(worker),
          },
          threadsEvidence(worker, message('1: fork() copies the locks, but none of the threads that hold them')),
          ...whereEvidence(worker),
          noCpuEvidence(worker.quietMs),
        ],
        advice: isPool(facts)
          ? message(
              'Start the pool before any thread, or use the start method "spawn" or "forkserver": ' +
                'multiprocessing.set_start_method("spawn").',
            )
          : message(
              'Start processes before any thread, or use the start method "spawn" or "forkserver": ' +
                'multiprocessing.set_start_method("spawn").',
            ),
        // It certainly never goes on, but the reason may also be that it took its own lock twice.
        confidence: 'likely',
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: worker.task?.id ?? null,
        rescue: [],
      }),
    )
}

function summaryOf(facts: ProgramPoolFacts, worker: ProgramWorkerFacts): Message {
  const others = otherThreadsOfParent(worker)
  const threads = others === 1 ? message('1 other thread') : message('{0} other threads', others)
  const when = whenOf(facts, worker)
  return when === undefined
    ? message(
        '{0} of {1} will wait for ever: it was forked while the program had {2}, and waits for a lock that nobody in ' +
          'it can release.',
        nameOf(worker),
        facts.pool,
        threads,
      )
    : message(
        '{0} of {1} will wait for ever {2}: it was forked while the program had {3}, and waits for a lock that ' +
          'nobody in it can release.',
        nameOf(worker),
        facts.pool,
        when,
        threads,
      )
}

function whenOf(facts: ProgramPoolFacts, { task, phase }: ProgramWorkerFacts): Message | undefined {
  if (task !== null) return message('in {0}', taskName(task))
  if (phase === 'starting') return message('before its first task')
  return isPool(facts) && phase !== 'unknown' ? message('between tasks') : undefined
}

function waitsForThreadOfParent(worker: ProgramWorkerFacts): boolean {
  const { wait, threads, quietMs, aloneMs } = worker
  // A single sample without other threads proves nothing: a thread of its own may have woken it and ended since.
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
