import type {
  CountsSnapshot,
  PoolSnapshot,
  PoolVerdictSnapshot,
  RunningProgram,
  VerdictSnapshot,
  WorkerSnapshot,
} from '../../protocol'
import { verdictJson } from '../why/json'

/**
 * What `unhang ps --json` prints: one object, on one or more lines, and nothing else on stdout. Keys are only ever
 * added. Durations are milliseconds, sizes bytes.
 */
export interface PsJson {
  /** In the order they were launched; `[]` when there are none, also when no host runs. */
  readonly pools: readonly PsPool[]
  /** `[{ name, pid }]`, where there are any: programs that were watched by a host that has ended, and that run on. */
  readonly unwatched?: readonly RunningProgram[]
}
export interface PsPool {
  /** `pool-3fa9c1`; what `terminate` and `kill` take, as well as the name. */
  readonly id: string
  readonly name: string
  /**
   * `module`, `python` or `command`; `program` and `attached` are the user's own programs, `watched` is a pool in one.
   */
  readonly kind: string
  /** Of a pool in a program: the id of that program, which is in the list too. */
  readonly programId: string | null
  /**
   * As in CPython's pool.py: `init`, `run`, `close` (no more tasks are taken), `terminate`; then `ended`. And
   * `orphaned`: left behind by a host that died, so it can be ended and nothing else.
   */
  readonly state: string
  /** Workers that live, and the last hundred that have exited (status `exited`, with exit code or signal). */
  readonly workers: readonly PsWorker[]
  /** Tasks by state. `stuck` is a flag: those are `running` too. */
  readonly counts: CountsSnapshot
  /**
   * On the pool, or on what is in it and no running task (a lost task, a dead lock holder), in the shape of `why
   * --json`; the gravest first.
   */
  readonly verdicts: readonly PoolVerdictSnapshot[]
}
export interface PsWorker {
  readonly name: string
  /** -1 while it is still being started. */
  readonly pid: number
  /** `starting`, `idle`, `busy`, `stopping`, `exited`. */
  readonly status: string
  /** Null while it lives, and when a signal ended it. */
  readonly exitCode: number | null
  /** `SIGKILL` …, null while it lives, and when it exited by itself. */
  readonly signal: string | null
  /** Of one core, so 100 is one core at work; null when there is no measurement (an exited worker). */
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
  /** The task it is in; of an exited worker the task it took with it. */
  readonly task: PsTask | null
}
export interface PsTask {
  readonly id: string
  readonly label: string
  /** Since the start of this run. */
  readonly elapsedMs: number
  /** A verdict says that it will not finish by itself. */
  readonly stuck: boolean
  /** `{ code, summary, evidence: [{ what, value }], advice, confidence }`: what is wrong and why we think so. */
  readonly verdict: VerdictSnapshot | null
}

/** The stable shape of `ps --json`, from what the host sends. */
export function psJson(pools: readonly PoolSnapshot[], unwatched: readonly RunningProgram[] = []): PsJson {
  return { pools: pools.map(psPool), ...(unwatched.length === 0 ? {} : { unwatched }) }
}

function psPool(pool: PoolSnapshot): PsPool {
  const { id, name, kind, programId, counts, verdicts } = pool
  return {
    id,
    name,
    kind,
    programId,
    state: shownState(pool),
    workers: pool.workers.map(psWorker),
    counts,
    verdicts: verdicts.map(verdictJson),
  }
}

/** The pool's state, or `orphaned`, which says more. */
export function shownState(pool: Pick<PoolSnapshot, 'state' | 'orphaned'>): string {
  return pool.orphaned && pool.state !== 'ended' ? 'orphaned' : pool.state
}

function psWorker({ name, pid, status, exitCode, signal, cpuPercent, memoryBytes, task }: WorkerSnapshot): PsWorker {
  return {
    name,
    pid,
    status,
    exitCode,
    signal,
    cpuPercent,
    memoryBytes,
    task: task && {
      id: task.id,
      label: task.label,
      elapsedMs: task.elapsedMs,
      stuck: task.stuck,
      verdict: task.verdict && taskVerdict(task.verdict),
    },
  }
}

/** The documented keys of the verdict on a running task, in their order. */
function taskVerdict({ code, summary, evidence, advice, confidence }: VerdictSnapshot): VerdictSnapshot {
  return { code, summary, evidence, advice, confidence }
}
