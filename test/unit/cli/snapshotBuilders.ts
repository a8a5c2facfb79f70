import type {
  CountsSnapshot,
  PoolSnapshot,
  PoolVerdictSnapshot,
  ProgramSnapshot,
  TaskSnapshot,
  VerdictSnapshot,
  WorkerSnapshot,
  TaskFailure,
} from '../../../src/protocol'

export const noProgress: VerdictSnapshot = {
  code: 'no-progress',
  summary: 'It has used no CPU and printed nothing for 9 s.',
  evidence: [
    { what: 'CPU time since 9 s', value: '0 ms' },
    { what: 'output since', value: 'none' },
  ],
  advice: 'Look at what it waits for.',
  confidence: 'likely',
}
export const slow: VerdictSnapshot = {
  ...noProgress,
  code: 'slow',
  summary: 'It works at 100 % CPU.',
  evidence: [],
  advice: 'Wait, or end it.',
}

export function counts(some: Partial<CountsSnapshot> = {}): CountsSnapshot {
  return { queued: 0, running: 0, stuck: 0, done: 0, failed: 0, lost: 0, timedOut: 0, cancelled: 0, ...some }
}
export function task(some: Partial<TaskSnapshot> = {}): TaskSnapshot {
  return {
    id: 'task-1',
    label: 'crawl(login)',
    state: 'running',
    startedAt: 1000,
    elapsedMs: 12_300,
    stuck: false,
    verdict: null,
    ...some,
  }
}
export function worker(some: Partial<WorkerSnapshot> = {}): WorkerSnapshot {
  return {
    name: 'PoolWorker-1',
    pid: 4211,
    status: 'idle',
    exitCode: null,
    signal: null,
    cpuPercent: 0,
    memoryBytes: 43_000_000,
    tasksDone: 3,
    startedAt: 1000,
    exitedAt: null,
    task: null,
    ...some,
  }
}
export function pool(some: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    id: 'pool-3fa9c1',
    name: 'Stuck',
    kind: 'module',
    state: 'run',
    orphaned: false,
    programId: null,
    program: null,
    verdicts: [],
    label: 'Stuck',
    startedAt: 1000,
    endedAt: null,
    counts: counts(),
    etaMs: null,
    failure: null,
    issues: [],
    exitedWorkerCount: 0,
    stats: null,
    workers: [worker()],
    ...some,
  }
}
/** The program `train.py` and the pool that it made in line 42, with one lost task. */
export function program(some: Partial<ProgramSnapshot> = {}): ProgramSnapshot {
  return {
    argv: ['python3', 'train.py'],
    pid: 4700,
    python: '3.11.7',
    observer: 'inside',
    message: null,
    exitCode: null,
    signal: null,
    readOnly: false,
    ...some,
  }
}
export function programPool(some: Partial<PoolSnapshot> = {}, ofProgram: Partial<ProgramSnapshot> = {}): PoolSnapshot {
  return pool({
    id: 'program-1',
    name: 'train.py',
    kind: 'program',
    label: null,
    workers: [],
    program: program(ofProgram),
    ...some,
  })
}
export function watchedPool(some: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return pool({
    id: 'watched-1',
    name: 'train.py:42',
    kind: 'watched',
    programId: 'program-1',
    label: null,
    verdicts: [lostTask()],
    workers: [worker({ name: 'ForkPoolWorker-1', pid: 4712 })],
    ...some,
  })
}
export function lostTask(some: Partial<PoolVerdictSnapshot> = {}): PoolVerdictSnapshot {
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
    ...some,
  }
}
export function deadLockHolder(some: Partial<PoolVerdictSnapshot> = {}): PoolVerdictSnapshot {
  return lostTask({
    code: 'orphaned-queue-lock',
    summary: 'Nobody can take a task.',
    advice: 'Release the lock.',
    worker: 'ForkPoolWorker-2',
    pid: 4713,
    task: null,
    rescue: [{ kind: 'lock', lock: 'tasks', worker: 'ForkPoolWorker-2', pid: 4713 }],
    ...some,
  })
}
export function failure(some: Partial<TaskFailure> = {}): TaskFailure {
  return {
    taskId: 'task-1',
    label: 'crawl(login)',
    state: 'lost',
    message: '',
    worker: 'PoolWorker-1',
    pid: 4211,
    exitCode: null,
    signal: null,
    elapsedMs: 5200,
    attempts: 1,
    stdoutPath: null,
    stderrPath: null,
    ...some,
  }
}
