import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { PoolVerdictSnapshot } from '../../../src/protocol'
import { limitedGroup } from '../processes/controlGroup'
import { describePythons, oldestAndNewest, type Python } from '../runtimes/pythons'
import { until, verdictWithinMs, Watch, type Sighting, type StartOptions, type WatchedRun } from './watch'
import { pattern } from '../../pattern'

/**
 * A program for every verdict, run for real: the verdict comes, names the right worker and task, rests on the right
 * evidence, and no other stuck verdict stands beside it. What is promised is five seconds; the latencies are printed,
 * and asserted only generously.
 */

vi.setConfig({ maxConcurrency: 6, testTimeout: 90_000, hookTimeout: 90_000 })

interface Case {
  readonly name: string
  readonly script: string
  readonly code: string
  readonly args?: readonly string[]
  readonly start?: StartOptions
  readonly stuck?: boolean
  /** About the pool as a whole. */
  readonly ofPool?: boolean
  /** The worker that it is about, by the pid in the program's "cause" line. */
  readonly task?: string
  readonly summary: RegExp
  /** Each is found in `what: value` of some evidence. */
  readonly evidence: readonly RegExp[]
  readonly rescue?: readonly string[]
  /** Other stuck verdicts that are right as well. */
  readonly beside?: readonly string[]
  /** What somebody else does to it; gives back when. */
  readonly act?: (run: WatchedRun) => Promise<number>
  readonly after?: (run: WatchedRun, sighting: Sighting) => Promise<void>
}

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})
const latencies: string[] = []
afterAll(() => {
  console.log(`Verdicts came after, ms:\n${latencies.sort().join('\n')}`)
})

/** When the program says that it happened, and in which process. */
async function causeOf(run: WatchedRun): Promise<{ at: number; pid: number | undefined }> {
  const line = await until(
    'the program says "cause"',
    () => /^cause (\S+)(?: (\d+))?$/m.exec(`${run.stdout}\n${run.stderr}`) ?? undefined,
    { withinMs: 30_000, seen: () => run.story() },
  )
  return { at: Number(line[1]) * 1000, pid: line[2] === undefined ? undefined : Number(line[2]) }
}

async function killsTheOneInTask(run: WatchedRun): Promise<number> {
  const { pid } = await causeOf(run)
  process.kill(pid!, 'SIGKILL')
  return Date.now()
}

/** Whoever has put something into a queue is held by its feeder thread. */
const isDone = pattern(
  /(Process|PoolWorker)-\d+ \(pid \d+\) of .* is done with its work and cannot end: the feeder/,
  / thread of its queue writes to a pipe, the pipe is full, and nobody reads it/,
)
const atItsFeeder = [
  /another thread of \S+ waits for: writing to descriptor \d+, pipe:/,
  /waits for: a lock: futex 0x[0-9a-f]+, of this process alone/,
  /CPU time: none/,
]
function notDrained(
  name: string,
  method: string,
  what: string,
  expected: Pick<Case, 'summary' | 'evidence' | 'ofPool'>,
): Case {
  return {
    name: `a queue that nobody empties: ${name}, ${method}`,
    script: 'queue-not-drained.py',
    args: [method, what],
    code: 'output-pipe-full',
    ...expected,
  }
}

const lostTask = { script: 'lost-task.py', code: 'lost-task', rescue: ['task'] }
/** Programs of plain Processes that wait for one another. */
const standstills: readonly {
  how: string
  method?: string
  name: string
  summary: RegExp
  evidence: RegExp[]
  advice: RegExp
}[] = [
  {
    how: 'two-locks',
    name: 'two locks, taken in opposite order',
    summary: pattern(
      /^standstill\.py will wait for ever in standstill\.py:\d+ \(<module>\), in Process\.join: 2/,
      / processes that it started wait as well \(\S+-1 \(pid \d+\) for a lock in take/,
      / \(standstill\.py:\d+\), \S+-2 \(pid \d+\) for a lock in take/,
    ),
    evidence: [
      /futex 0x[0-9a-f]+, shared between processes.*synchronize\.py:\d+ (SemLock\.)?__enter__/,
      /CPU time of all of them: none/,
    ],
    advice: /same order/,
  },
  {
    how: 'two-locks',
    method: 'spawn',
    name: 'two locks, taken in opposite order, spawn',
    summary: /2 processes that it started wait as well \(\S+-1 \(pid \d+\) for a lock in take/,
    evidence: [/shared between processes/],
    advice: /same order/,
  },
  {
    how: 'killed-holder',
    name: 'a lock whose holder was killed',
    summary: pattern(
      /1 process that it started waits as well \(\S+-2 \(pid \d+\) for a lock in want .*, and \S+-1/,
      / \(pid \d+\) was ended by SIGKILL/,
    ),
    evidence: [/exit of \S+-1 \(pid \d+\): was ended by SIGKILL/],
    advice: /^Find out what ended \S+-1: a lock stays taken for ever/,
  },
  {
    how: 'event',
    name: 'an event that nobody sets',
    summary: /\S+-2 \(pid \d+\) for an event.*, and \S+-1 \(pid \d+\) exited with code 1/,
    evidence: [/exited with code 1/],
    advice: /traceback of \S+-1 /,
  },
  {
    how: 'barrier',
    method: 'spawn',
    name: 'a barrier that one does not reach',
    summary: /2 processes that it started wait as well .*for a barrier in arrive/,
    evidence: [/exited with code 1/],
    advice: /as many processes as it was made for/,
  },
  {
    how: 'no-end-mark',
    name: 'a queue without an end mark',
    summary: /2 processes that it started wait as well .*for something in a queue in consume/,
    evidence: [/queues\.py:\d+ (Queue\.)?get/],
    advice: /^Put an end mark \(None\)/,
  },
  {
    how: 'task-done',
    name: 'a task_done() that is missing',
    summary: /in JoinableQueue\.join: no other process of it is left that could end that\.$/,
    evidence: [/in JoinableQueue\.join, for a lock/],
    advice: /^Call task_done\(\) once for everything/,
  },
  {
    how: 'result',
    name: 'a queue whose writer crashed',
    summary:
      /in Queue\.get: no other process of it is left that could end that; \S+-1 \(pid \d+\) exited with code 1\.$/,
    evidence: [/in Queue\.get, for reading from descriptor/],
    advice: /traceback of \S+-1 /,
  },
  {
    how: 'pipe',
    name: 'a pipe whose writing end is open in its reader',
    summary: /for a message in a pipe in receive/,
    evidence: [/connection\.py:\d+ (Connection\.)?_recv/],
    advice: /close the writing end/,
  },
]

const cases: readonly Case[] = [
  ...(['fork', 'spawn', 'forkserver'] as const).map((method): Case => ({
    ...lostTask,
    name: `sys.exit(1) in map, ${method}`,
    args: [method, 'sys-exit', 'map'],
    task: '7',
    summary: pattern(
      /lost-task\.py:\d+ will wait for ever: task 7 run\(7, 'sys-exit', None\) was lost when \S+-\d+/,
      / \(pid \d+\) exited with code 1 after .*; \d+ of 12 results arrived/,
    ),
    evidence: [
      /exit of \S+ \(pid \d+\): exit 1/,
      /our kill ledger: no signal from us/,
      /flight recorder: it was running task 7/,
      /starmap\(run, 12 items\): 1 not answered/,
      /waits in: lost-task\.py:\d+ \(call\), in Pool\.starmap/,
    ],
  })),
  ...(['fork', 'spawn', 'forkserver'] as const).map((method): Case => ({
    ...lostTask,
    name: `os._exit(0) in a chunk, ${method}`,
    args: [method, 'os-exit-0', 'chunks'],
    task: '1',
    summary: /task 1 run × 4 \(items 4–7\) was lost .* exited with code 0 .*; [48] of 12 results arrived/,
    evidence: [/: exit 0/, /\(4 items\) when it ended/],
  })),
  {
    ...lostTask,
    name: 'SIGSEGV in imap, fork',
    args: ['fork', 'segv', 'imap'],
    task: '7',
    summary: /task 7 run_one\(.*was ended by SIGSEGV/,
    evidence: [/exit -11 \(SIGSEGV\)/],
  },
  {
    ...lostTask,
    name: 'SIGSEGV in apply_async, forkserver',
    args: ['forkserver', 'segv', 'apply_async'],
    summary: /task \S+ run\(7, .*was ended by SIGSEGV/,
    evidence: [/exit -11 \(SIGSEGV\)/],
  },
  {
    ...lostTask,
    name: 'SIGKILL from outside in imap, spawn',
    args: ['spawn', 'wait', 'imap'],
    act: killsTheOneInTask,
    task: '7',
    summary: /was ended by SIGKILL/,
    evidence: [/exit -9 \(SIGKILL\)/, /our kill ledger: no signal from us/],
  },
  {
    ...lostTask,
    name: 'SIGKILL from outside in apply_async, fork',
    args: ['fork', 'wait', 'apply_async'],
    act: killsTheOneInTask,
    summary: /was ended by SIGKILL/,
    evidence: [/exit -9 \(SIGKILL\)/],
  },
  {
    name: 'the first program of seeds/003',
    script: 'seeds-003-lost.py',
    code: 'lost-task',
    summary: pattern(
      /seeds-003-lost\.py:10 will wait for ever: task [01] run\(\([01],\)\) was lost .*exited with/,
      / code 1 .*; 0 of 2 results arrived/,
    ),
    evidence: [/exit 1/],
    act: exitOfWorker,
  },
  ...(['fork', 'spawn', 'forkserver'] as const).map((method): Case => ({
    name: `the holder of the task queue's lock is killed, ${method}`,
    script: 'orphaned-queue-lock.py',
    args: [method],
    code: 'orphaned-queue-lock',
    rescue: ['lock'],
    summary:
      /was ended by SIGKILL while it held the lock of the task queue, so no worker can take a task; \d tasks queued/,
    evidence: [
      /flight recorder: .* held the lock of the task queue/,
      /the lock of the task queue: taken, and nobody alive holds it/,
      /workers that wait for it: .*futex/,
    ],
  })),
  {
    name: "the holder of the result queue's lock is killed",
    script: 'orphaned-result-lock.py',
    args: ['fork'],
    code: 'orphaned-queue-lock',
    rescue: ['lock'],
    beside: ['lost-task'],
    summary: /was ended by SIGKILL while it held the lock of the result queue, so no worker can send a result/,
    evidence: [/the lock of the result queue: taken, and nobody alive holds it/],
  },
  ...(['fork', 'spawn'] as const).map((method): Case => ({
    name: `an exception that cannot be unpickled, ${method}`,
    script: 'result-thread-dead.py',
    args: [method],
    code: 'result-thread-dead',
    ofPool: true,
    summary: /its thread that receives the results \(_handle_results\) has ended/,
    evidence: [/threads of the pool: results: ended/],
    after: countsEachTaskOnce,
  })),
  {
    name: 'a lock held at fork, wanted by a task',
    script: 'fork-with-threads.py',
    args: ['task'],
    code: 'fork-with-threads',
    summary: /will wait for ever in task \d work\(\d\): it was forked while the program had 1 other thread/,
    evidence: [/futex 0x[0-9a-f]+, of this process alone/, /CPU time: none/, /stack, innermost first: .*log/],
  },
  {
    name: 'a lock held at fork, wanted by the initializer',
    script: 'fork-with-threads.py',
    args: ['initializer'],
    code: 'fork-with-threads',
    summary: /will wait for ever before its first task/,
    evidence: [/futex 0x[0-9a-f]+, of this process alone/],
  },
  ...(['fork', 'spawn'] as const).map((method): Case => ({
    name: `workers cannot be replaced, ${method}`,
    script: 'no-live-workers.py',
    args: [method],
    code: 'no-live-workers',
    ofPool: true,
    act: exitsOfAllWorkers,
    summary: /will wait for ever: it has no worker left, with \d (tasks? queued|results? not there yet)/,
    evidence: [/workers alive: 0 of 2/, /thread that replaces workers: ended/],
  })),
  {
    name: 'an initializer that raises, fork',
    script: 'crash-loop.py',
    args: ['fork', 'raises'],
    code: 'crash-loop',
    ofPool: true,
    summary: /\d+ workers in a row ended before they asked for a task \(exit 1\)/,
    evidence: [/start method: fork/],
  },
  {
    name: 'an initializer that exits, spawn',
    script: 'crash-loop.py',
    args: ['spawn', 'exits'],
    code: 'crash-loop',
    ofPool: true,
    summary: /\(exit 3\)/,
    evidence: [/start method: spawn/],
  },
  {
    name: 'an initializer that raises, forkserver',
    script: 'crash-loop.py',
    args: ['forkserver', 'raises'],
    code: 'crash-loop',
    ofPool: true,
    summary: /\(exit 1\)/,
    evidence: [/start method: forkserver/],
  },
  {
    name: 'tasks that wait for their own pool',
    script: 'self-wait.py',
    args: ['pool'],
    code: 'self-wait',
    summary: /uses a pool, but it has only a copy of that pool/,
    evidence: [/waits in: .*pool\.py/, /threads of \S+: 1/],
  },
  {
    name: 'tasks that wait for their own executor',
    script: 'self-wait.py',
    args: ['executor'],
    code: 'self-wait',
    summary: /uses a pool, but it has only a copy of that pool/,
    evidence: [/waits in: (process\.py:\d+ submit|.*_base\.py)/, /threads of \S+: 1/],
  },
  {
    name: 'a callback that waits for its own pool',
    script: 'self-wait.py',
    args: ['callback'],
    code: 'self-wait',
    ofPool: true,
    summary: pattern(
      /^self-wait\.py:\d+ will wait for ever: a callback of it waits for the pool's own results in/,
      / self-wait\.py:\d+ \(ask_more\), in Pool\.apply, in the thread that receives them\.$/,
    ),
    evidence: [
      /callback, in the thread that receives results: self-wait\.py:\d+/,
      /the program \(pid \d+\) waits in: self-wait\.py:\d+/,
    ],
  },
  {
    name: 'a callback that does not return',
    script: 'no-progress.py',
    args: ['fork', 'callback'],
    start: { watch: { stuckAfterMs: 2500 } },
    code: 'no-progress',
    ofPool: true,
    summary: pattern(
      /^A callback of no-progress\.py:\d+ has not returned for .* \(no-progress\.py:\d+ \(hold_up\)\),/,
      / and no result is received while it runs\.$/,
    ),
    evidence: [/CPU time of that thread: none for/],
  },
  {
    name: 'the stubborn program of seeds/003, before any signal',
    script: 'seeds-003-stubborn.py',
    code: 'sigterm-ignored',
    stuck: false,
    summary: /catches SIGTERM in task [01] run\(\([01],\)\): terminate\(\) may not end it/,
    evidence: [/SIGTERM in process \d+: caught by a handler/],
    after: thenTerminateHangs,
    act: beganToRun,
  },
  ...(['fork', 'spawn'] as const).map((method): Case => ({
    name: `SIG_IGN, ${method}`,
    script: 'sigterm-ignored.py',
    args: [method],
    code: 'sigterm-ignored',
    stuck: false,
    task: '1',
    summary: /ignores SIGTERM in task 1 run\(600\): terminate\(\) will not end it/,
    evidence: [/SIGTERM in process \d+: ignored/],
    after: survivesOurs,
  })),
  {
    name: 'a worker is stopped in a task',
    script: 'long-tasks.py',
    args: ['fork', '20'],
    code: 'stopped',
    rescue: ['continue'],
    summary: /is stopped \(SIGSTOP or a debugger\), so task \d run\(\d\) cannot go on/,
    evidence: [/state of process \d+: T \(stopped\)/],
    act: async (run) => {
      const [began = ''] = await run.untilSaid('began', 2)
      process.kill(Number(began.split(' ')[1]), 'SIGSTOP')
      return Date.now()
    },
  },
  {
    name: 'the program itself is stopped',
    script: 'long-tasks.py',
    args: ['fork', '20'],
    code: 'stopped',
    ofPool: true,
    summary: /The program of long-tasks\.py(:\d+)? \(pid \d+\) is stopped/,
    evidence: [/state of process \d+: T \(stopped\)/],
    act: async (run) => {
      await run.untilSaid('began', 2)
      process.kill(run.pid, 'SIGSTOP')
      return Date.now()
    },
    after: (run) => {
      process.kill(run.pid, 'SIGCONT')
      return Promise.resolve()
    },
  },
  {
    name: 'a worker waits in the kernel',
    script: 'uninterruptible.py',
    args: ['fork'],
    start: { watch: { stuckAfterMs: 1500 } },
    code: 'uninterruptible',
    task: '1',
    summary: /waits inside the kernel .* in task 1 read\(1\); no signal reaches it/,
    evidence: [/state of process \d+: D \(uninterruptible\)/],
  },
  {
    name: 'a worker is dead and the program holds the GIL',
    script: 'zombie.py',
    args: ['fork'],
    code: 'lost-task',
    task: '1',
    rescue: [],
    summary: /task 1 run\(1\) was lost .* exited with code 1/,
    evidence: [/does not answer; what it said last was used/],
  },
  {
    name: 'it died in its task',
    script: 'zombie.py',
    args: ['fork'],
    code: 'zombie',
    stuck: false,
    beside: ['lost-task'],
    task: '1',
    rescue: [],
    summary: /is dead \(it exited with code 1\) but was not collected by its program, so nobody replaces it/,
    evidence: [
      /state of process \d+: Z \(zombie\)/,
      /exit of \S+ \(pid \d+\): exit 1/,
      /the program \(pid \d+\): has not waited for it in/,
      /does not answer; what it said last was used/,
    ],
  },
  {
    name: 'it died idle, and took no task along',
    script: 'zombie.py',
    args: ['spawn', 'idle'],
    code: 'zombie',
    stuck: false,
    rescue: [],
    summary: /is dead \(it exited with code 1\) but was not collected by its program/,
    evidence: [/state of process \d+: Z \(zombie\)/, /exit of \S+ \(pid \d+\): exit 1/],
    after: (_, { verdict }) => {
      expect(verdict.task).toBeNull()
      return Promise.resolve()
    },
  },
  ...(['fork', 'forkserver'] as const).map((method): Case => ({
    name: `a result that cannot be pickled, ${method}`,
    script: 'unserializable-result.py',
    args: [method],
    code: 'unserializable-result',
    stuck: false,
    summary: /1 result of \S+ \(pid \d+\) of unserializable-result\.py:\d+ could not be sent back/,
    evidence: [/results that could not be pickled/],
    after: async (run) => {
      expect(await run.untilSaid('results')).toEqual(['[0, 1, 2, 3, 4, 5, 6, 7]'])
    },
  })),
  {
    name: 'a pipe that nobody reads, spawn',
    script: 'output-pipe-full.py',
    args: ['spawn', 'connection'],
    code: 'output-pipe-full',
    task: '1',
    summary: /cannot go on with task 1 report\(1\): it writes to a pipe, the pipe is full, and nobody reads it/,
    evidence: [/writing to descriptor \d+/],
  },
  {
    name: 'stdout that nobody has read for a moment, fork',
    stuck: false,
    after: thenIsStuck,
    script: 'output-pipe-full.py',
    args: ['fork', 'stdout'],
    code: 'output-pipe-full',
    task: '1',
    summary: pattern(
      /has waited for .* in task 1 report\(1\): it writes to stdout, the pipe is full, and whoever/,
      / reads it has not read for .*\.$/,
    ),
    evidence: [/writing to descriptor 1/],
    start: { watch: { stuckAfterMs: 6000 }, through: ['sh', '-c', 'exec 3>&2; "$@" | sleep 600 >&3', 'sh'] },
  },
  ...['fork', 'spawn', 'forkserver'].map((method) =>
    notDrained('a process that is joined', method, 'process', {
      summary: isDone,
      evidence: [...atItsFeeder, /waits in: queue-not-drained\.py:\d+ \(process\), in Process\.join/],
    }),
  ),
  notDrained('a process that is joined, after a while', 'fork', 'late', { summary: isDone, evidence: atItsFeeder }),
  notDrained('a process that the end of the program joins', 'fork', 'unjoined', {
    summary: isDone,
    evidence: [...atItsFeeder, /\(_exit_function\), in Process\.join/],
  }),
  notDrained('three processes and one queue', 'spawn', 'several', {
    summary: isDone,
    evidence: [...atItsFeeder, /in line for the same queue: .*Process-\d+ \(pid \d+\), \S+Process-\d+ \(pid \d+\)/],
  }),
  notDrained('a process that waits for room in its queue', 'fork', 'bounded', {
    summary: /Process-\d+ \(pid \d+\) of .* cannot go on: the feeder thread of its queue writes to a pipe/,
    evidence: [/another thread of \S+ waits for: writing to descriptor \d+/, /shared between processes/],
  }),
  ...['fork', 'forkserver'].map((method) =>
    notDrained('a pool that is joined', method, 'pool', {
      summary: isDone,
      evidence: [...atItsFeeder, /in Pool\.join/],
    }),
  ),
  notDrained('an executor that is shut down', 'spawn', 'executor', {
    summary: isDone,
    evidence: [...atItsFeeder, /in Executor\.__exit__/],
  }),
  notDrained('workers that are to be replaced', 'fork', 'recycled', {
    summary: isDone,
    evidence: [...atItsFeeder, /in Pool\.map/],
  }),
  ...['fork', 'spawn'].map((method) =>
    notDrained('the program itself at its end', method, 'program', {
      ofPool: true,
      summary: pattern(
        /^The program of .* \(pid \d+\) cannot end: the feeder thread of its queue writes to a pipe, the/,
        / pipe is full, and no process is left that could read it/,
      ),
      evidence: [/another thread of the program waits for: writing to descriptor \d+/, /in Queue\._finalize_join/],
    }),
  ),
  notDrained('the program in JoinableQueue.join()', 'fork', 'joinable', {
    ofPool: true,
    summary: /^The program of .* cannot go on: the feeder thread of its queue/,
    evidence: [/in JoinableQueue\.join/],
  }),
  {
    name: 'an answer that does not come',
    script: 'no-progress.py',
    args: ['fork'],
    start: { watch: { stuckAfterMs: 1500 } },
    code: 'no-progress',
    task: '0',
    summary: /task 0 ask\(\d+\) in \S+ \(pid \d+\) of no-progress\.py:\d+ has used no CPU/,
    evidence: [/CPU time, of anything below it as well: none/, /waits for: reading from descriptor/],
  },
  ...standstills.flatMap(({ how, method = 'fork', name, summary, evidence, advice }): Case[] => [
    {
      name,
      script: 'standstill.py',
      args: [method, how],
      code: 'self-wait',
      ofPool: true,
      summary,
      evidence,
      after: (_, { verdict }) => {
        expect(verdict.advice).toMatch(advice)
        return Promise.resolve()
      },
    },
  ]),
  {
    name: 'a lock held at fork, wanted by a Process',
    script: 'standstill.py',
    args: ['fork', 'fork-with-threads'],
    code: 'fork-with-threads',
    summary:
      /Process-1 \(pid \d+\) of standstill\.py will wait for ever: it was forked while the program had 1 other thread/,
    evidence: [/futex 0x[0-9a-f]+, of this process alone/, /stack, innermost first: standstill\.py:\d+ take_own/],
  },
  {
    name: 'an initializer that waits',
    script: 'no-progress.py',
    args: ['fork', 'initializer'],
    start: { watch: { stuckAfterMs: 1500 } },
    code: 'no-progress',
    summary: /has not asked for its first task, and has used no CPU for/,
    evidence: [
      /CPU time, of anything below it as well: none/,
      /waits for: a lock: futex/,
      /stack, innermost first: .*no-progress\.py:\d+ prepare/,
    ],
  },
  {
    name: 'a callback that raises',
    script: 'result-thread-dead.py',
    args: ['fork', 'callback'],
    code: 'result-thread-dead',
    ofPool: true,
    summary: /its thread that receives the results \(_handle_results\) has ended/,
    evidence: [/threads of the pool: results: ended/],
    after: (run, { verdict }) => {
      expect(verdict.advice).toContain('a callback or error_callback of yours')
      return countsEachTaskOnce(run)
    },
  },
  {
    name: 'a long computation',
    script: 'slow.py',
    args: ['spawn', '30'],
    start: { watch: { stuckAfterMs: 1500 } },
    code: 'slow',
    stuck: false,
    task: '0',
    summary: /task 0 compute\(30\.0\) .* has been running for .* and is still working/,
    evidence: [/CPU time in the last/],
  },
  {
    name: 'the program is killed and its workers stay',
    script: 'long-tasks.py',
    args: ['fork', '30'],
    code: 'orphaned',
    summary: /still runs although python3?(\.\d+)? .*|still runs although .* has ended/,
    evidence: [/exit of .* \(pid \d+\): exit -9 \(SIGKILL\)/, /still running: pid \d+/],
    act: async (run) => {
      await run.untilSaid('began', 2)
      // The observer has told of them.
      await run.untilPool(
        'two busy workers',
        ({ workers }) => workers.filter(({ status }) => status === 'busy').length === 2,
      )
      process.kill(run.pid, 'SIGKILL')
      return Date.now()
    },
  },
]

/** A worker's exit, as its program noted it. */
async function exitOfWorker(run: WatchedRun): Promise<number> {
  const pool = await run.untilPool('an exit', ({ workers }) => workers.some(({ exitedAt }) => exitedAt !== null))
  return pool.workers.find(({ exitedAt }) => exitedAt !== null)!.exitedAt!
}

async function exitsOfAllWorkers(run: WatchedRun): Promise<number> {
  const pool = await run.untilPool(
    'all workers exit',
    ({ workers }) => workers.length >= 2 && workers.every(({ exitedAt }) => exitedAt !== null),
  )
  return Math.max(...pool.workers.map(({ exitedAt }) => exitedAt!))
}

async function beganToRun(run: WatchedRun): Promise<number> {
  const pool = await run.untilPool('a task that stays', ({ workers }) =>
    workers.some(({ task }) => task !== null && task.elapsedMs > 500),
  )
  return Math.min(...pool.workers.flatMap(({ task }) => task?.startedAt ?? []))
}

/** Its workers have done all five, and what they brought is not taken in: that is no task that waits. */
async function countsEachTaskOnce(run: WatchedRun): Promise<void> {
  await run.untilPool('five tasks', ({ counts }) => counts.done === 5 && counts.queued === 0 && counts.stuck === 1)
}

/** The kernel discards what is ignored: nothing is pending. */
async function survivesOurs(run: WatchedRun, { pool, verdict: { pid } }: Sighting): Promise<void> {
  const { issues } = await run.watch.host.request(
    'unhang/shutdown',
    { targets: [{ kind: 'worker', poolId: pool.id, pid: pid! }], mode: 'terminate', askedBy: 'user' },
    { timeoutMs: 30_000 },
  )
  expect(issues).toHaveLength(1)
  const { verdict } = await run.untilVerdict('sigterm-ignored', (newest) => newest.stuck)
  expect(inWords(verdict)).toMatch(/a SIGTERM that we sent: .* ago, has not ended it: it was discarded/)
  expect(inWords(verdict)).not.toContain('pending')
  expect(verdict.rescue).toEqual([])
}

/** Only time tells a reader that is slow from one that never reads again. */
async function thenIsStuck(run: WatchedRun): Promise<void> {
  const { verdict } = await run.untilVerdict('output-pipe-full', ({ stuck }) => stuck)
  expect(verdict.summary).toMatch(
    /cannot go on with task 1 report\(1\): it writes to stdout, the pipe is full, and nobody has read it for .*\.$/,
  )
}

/** The program calls terminate() after five seconds, which waits for ever: then it is stuck. */
async function thenTerminateHangs(run: WatchedRun): Promise<void> {
  const { verdict } = await run.untilVerdict('sigterm-ignored', ({ stuck }) => stuck)
  expect(verdict.summary).toMatch(/was sent SIGTERM and is still there: it catches SIGTERM/)
}

function inWords({ evidence }: PoolVerdictSnapshot): string {
  return evidence.map(({ what, value }) => `${what}: ${value}`).join('\n')
}

async function check(
  {
    name,
    script,
    code,
    args = [],
    start = {},
    stuck = true,
    ofPool = false,
    task,
    summary,
    evidence,
    rescue,
    beside = [],
    act,
    after,
  }: Case,
  python: Python,
): Promise<void> {
  const run = await watch.start(script, { ...start, args, python })
  try {
    const acted = await act?.(run)
    const sighting = await run.untilVerdict(code, (verdict) => verdict.stuck === stuck, 30_000)
    const cause =
      acted === undefined
        ? await causeOf(run)
        : { at: acted, pid: /^cause \S+ (\d+)$/m.exec(`${run.stdout}\n${run.stderr}`)?.[1] }
    const latency = Math.round(sighting.at - cause.at)
    latencies.push(`${String(latency).padStart(6)}  ${code}: ${name} (${python.version})`)
    // What the program said a moment before the cause is all that the first look may have.
    const { verdict } = await run
      .untilVerdict(
        code,
        (newest) => newest.stuck === stuck && evidence.every((pattern) => pattern.test(inWords(newest))),
        5_000,
      )
      .catch(() => sighting)
    expect(latency, 'verdict within its deadline').toBeLessThan(verdictWithinMs)
    expect(verdict.summary).toMatch(summary)
    for (const pattern of evidence) expect(inWords(verdict)).toMatch(pattern)
    if (ofPool) expect(verdict.worker).toBeNull()
    else expect(verdict.worker).toMatch(/^(Fork|Spawn|ForkServer)?(Pool)?(Worker|Process)-\d/)
    if (cause.pid !== undefined && !ofPool && code !== 'orphaned') expect(verdict.pid).toBe(Number(cause.pid))
    if (task !== undefined) expect(verdict.task).toBe(task)
    if (rescue !== undefined) expect(verdict.rescue.map(({ kind }) => kind)).toEqual(rescue)
    await after?.(run, sighting)
    expect(
      run.stuck
        .filter((other) => other.verdict.code !== code && !beside.includes(other.verdict.code))
        .map((other) => `${other.verdict.code}: ${other.verdict.summary}`),
      'other stuck verdicts',
    ).toEqual([])
  } catch (error) {
    throw new Error(`${String(error)}\n${JSON.stringify(run.story(), null, 1)}`, { cause: error })
  } finally {
    await run.end()
  }
}

describePythons(
  oldestAndNewest,
  'Python $version',
  (python) => {
    for (const one of cases)
      it(`${one.code}: ${one.name}`, async () => {
        await check(one, python)
      })

    it('oom-killed: the kernel ends a worker in a control group with a limit', async ({ skip }) => {
      const group = limitedGroup(150)
      if (group === undefined) return skip('no control group with a limit can be made here')
      try {
        await check(
          {
            name: 'a real OOM kill',
            script: 'oom-killed.py',
            args: ['fork'],
            code: 'oom-killed',
            stuck: false,
            beside: ['lost-task'],
            start: { through: ['sh', '-c', `echo $$ > ${join(group.path, 'cgroup.procs')}; exec "$@"`, 'sh'] },
            summary: /ran out of memory during task 2 load\(4000\): the kernel ended it/,
            evidence: [
              /exit -9 \(SIGKILL\)/,
              /our kill ledger: no signal from us/,
              /OOM kills by the kernel while it ran: [1-9]/,
            ],
            after: async (run) => {
              expect((await run.untilVerdict('lost-task')).verdict.summary).toMatch(
                /\(out of memory: the kernel ended it\)/,
              )
            },
          },
          python,
        )
        expect(readFileSync(join(group.path, 'cgroup.procs'), 'utf8')).toBe('')
      } finally {
        await group.remove()
      }
    })
  },
  { concurrent: true },
)
