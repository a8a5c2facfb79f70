import type {
  CountsSnapshot,
  FullSnapshot,
  PoolHeader,
  PoolSnapshot,
  PoolVerdictSnapshot,
  ProgramSnapshot,
  TaskSnapshot,
  VerdictSnapshot,
  WorkerSnapshot,
} from '../../../src/protocol'

/** Snapshots as a host would send them, with only what a test is about spelled out. */
export const noCounts: CountsSnapshot = {
  queued: 0,
  running: 0,
  stuck: 0,
  done: 0,
  failed: 0,
  lost: 0,
  timedOut: 0,
  cancelled: 0,
}

export function poolHeader(over: Partial<PoolHeader> = {}): PoolHeader {
  return {
    id: 'pool-1',
    name: 'Crawl',
    kind: 'module',
    state: 'run',
    orphaned: false,
    programId: null,
    program: null,
    verdicts: [],
    label: 'Crawl',
    startedAt: 1_000,
    endedAt: null,
    counts: noCounts,
    etaMs: null,
    failure: null,
    issues: [],
    exitedWorkerCount: 0,
    stats: null,
    ...over,
  }
}

export function pool(over: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return { ...poolHeader(over), workers: [], ...over }
}

/** The program `train.py`. */
export function programPool(over: Partial<PoolSnapshot> = {}, program: Partial<ProgramSnapshot> = {}): PoolSnapshot {
  return pool({
    id: 'program-1',
    name: 'train.py',
    kind: 'program',
    label: null,
    program: {
      argv: ['python3', 'train.py'],
      pid: 4700,
      python: '3.11.7',
      observer: 'inside',
      message: null,
      exitCode: null,
      signal: null,
      readOnly: false,
      ...program,
    },
    ...over,
  })
}

/** The pool that it made in line 42; task 7 is lost. */
export function watchedPool(over: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return pool({
    id: 'watched-1',
    name: 'train.py:42',
    kind: 'watched',
    programId: 'program-1',
    label: null,
    verdicts: [lostTask()],
    ...over,
  })
}

export function lostTask(over: Partial<PoolVerdictSnapshot> = {}): PoolVerdictSnapshot {
  return {
    code: 'lost-task',
    stuck: true,
    summary: 'train.py:42 will wait for ever: task 7 run(7) was lost.',
    evidence: [{ what: 'exit of ForkPoolWorker-3', value: 'exit 1' }],
    advice: 'Fail the task, or run it again.',
    confidence: 'certain',
    worker: 'ForkPoolWorker-3',
    pid: 4711,
    task: '7',
    rescue: [{ kind: 'task', worker: 'ForkPoolWorker-3', pid: 4711, task: '7', label: 'run(7)', retriable: true }],
    ...over,
  }
}

export function task(over: Partial<TaskSnapshot> = {}): TaskSnapshot {
  return {
    id: 't1',
    label: 'resize(img_7.png)',
    state: 'running',
    startedAt: 10_000,
    elapsedMs: 0,
    stuck: false,
    verdict: null,
    ...over,
  }
}

export const noProgress: VerdictSnapshot = {
  code: 'no-progress',
  summary: 'It has not moved for 42 s.',
  evidence: [{ what: 'CPU time since 42 s', value: '0 ms' }],
  advice: 'Terminate the worker.',
  confidence: 'likely',
}

export function worker(over: Partial<WorkerSnapshot> = {}): WorkerSnapshot {
  return {
    name: 'PoolWorker-1',
    pid: 4211,
    status: 'idle',
    exitCode: null,
    signal: null,
    cpuPercent: null,
    memoryBytes: null,
    tasksDone: 0,
    startedAt: 1_000,
    exitedAt: null,
    task: null,
    ...over,
  }
}

export function workers(
  count: number,
  over: (index: number) => Partial<WorkerSnapshot> = () => ({}),
): WorkerSnapshot[] {
  return Array.from({ length: count }, (_, index) =>
    worker({ name: `PoolWorker-${index + 1}`, pid: 1000 + index, ...over(index) }),
  )
}

export function full(pools: PoolSnapshot[], rev = 1): FullSnapshot {
  return { kind: 'full', rev, pools, machine: null }
}
