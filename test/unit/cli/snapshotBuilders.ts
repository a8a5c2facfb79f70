import type { CountsSnapshot, GetFailures, PoolSnapshot, TaskSnapshot, VerdictSnapshot, WorkerSnapshot } from '../../../src/protocol'

export const noProgress: VerdictSnapshot = {
  code: 'no-progress',
  summary: 'It has used no CPU and printed nothing for 9 s.',
  evidence: [{ what: 'CPU time since 9 s', value: '0 ms' }, { what: 'output since', value: 'none' }],
  advice: 'Look at what it waits for.',
  confidence: 'likely',
}
export const slow: VerdictSnapshot = { ...noProgress, code: 'slow', summary: 'It works at 100 % CPU.', evidence: [], advice: 'Wait, or end it.' }

export function counts(some: Partial<CountsSnapshot> = {}): CountsSnapshot {
  return { queued: 0, running: 0, stuck: 0, done: 0, failed: 0, lost: 0, timedOut: 0, cancelled: 0, ...some }
}
export function task(some: Partial<TaskSnapshot> = {}): TaskSnapshot {
  return { id: 'task-1', label: 'crawl(login)', state: 'running', startedAt: 1000, elapsedMs: 12_300, stuck: false, verdict: null, ...some }
}
export function worker(some: Partial<WorkerSnapshot> = {}): WorkerSnapshot {
  return {
    name: 'PoolWorker-1', pid: 4211, status: 'idle', exitCode: null, signal: null, cpuPercent: 0, memoryBytes: 43_000_000,
    tasksDone: 3, startedAt: 1000, exitedAt: null, task: null, ...some,
  }
}
export function pool(some: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    id: 'pool-3fa9c1', name: 'Stuck', kind: 'module', state: 'run', orphaned: false, programId: null, program: null, verdicts: [], label: 'Stuck', startedAt: 1000, endedAt: null,
    counts: counts(), etaMs: null, failure: null, issues: [], exitedWorkerCount: 0, stats: null, workers: [worker()], ...some,
  }
}
export function failure(some: Partial<GetFailures.Failure> = {}): GetFailures.Failure {
  return {
    taskId: 'task-1', label: 'crawl(login)', state: 'lost', message: '', worker: 'PoolWorker-1', pid: 4211,
    exitCode: null, signal: null, elapsedMs: 5200, attempts: 1, stdoutPath: null, stderrPath: null, ...some,
  }
}
