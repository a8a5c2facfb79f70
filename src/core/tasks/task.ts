import type { Verdict } from '../../diagnosis'
import type { TaskFunction } from './taskFunction'
import type { TaskArguments } from '../terms/arguments'
import type { TaskInfo, TaskState } from '../terms/types'

/**
 * Whom a task belongs to, and who hears of its end. Symbols, since an {@link AsyncResult} is one of them and users hold
 * it.
 */
export interface TaskOwner {
  [taskDone](task: Task, value: unknown): void
  [taskFailed](task: Task, error: unknown): void
}
export const taskDone: unique symbol = Symbol('taskDone')
export const taskFailed: unique symbol = Symbol('taskFailed')

/** Why a running task is being ended; decides what becomes of it once its worker is gone. */
export type EndIntent =
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'timeout'; readonly limitMs: number }
  /** Because it is stuck; `again` when it is to run once more. */
  | { readonly kind: 'stuck'; readonly again: boolean }

/** What only few tasks have. */
export interface Incident {
  stuck: boolean
  verdict: Verdict | null
  /** When listeners last heard of the verdict, on the monotonic clock. */
  verdictToldAt: number
  intent: EndIntent | null
  /** Of the time limits. */
  timer: NodeJS.Timeout | undefined
  endedAt: number | null
  /** Why it has no arguments. */
  callError: unknown
}

/** Tenths of a millisecond on a clock that nobody sets: small enough to cost no memory of their own for days. */
export function monotonicTenths(): number {
  return Math.floor(performance.now() * 10)
}

/**
 * The pool's record of one task. Mutable, and seen by nobody outside of the pool; others get {@link describeTask}. A
 * million of them may wait: every field counts, and what few tasks need is in {@link Incident}.
 */
export class Task {
  state: TaskState = 'queued'
  /** How often it has been started. */
  attempt = 0
  /** {@link monotonicTenths} of when it was handed in, once it runs, of the start of the run. */
  since = monotonicTenths()
  /** Epoch ms of the current run, null while queued. */
  startedAt: number | null = null
  /** Neighbours in the queue (an intrusive list: no allocation, and any task can be taken out at once). */
  previous: Task | null = null
  next: Task | null = null
  /** In the queue, or out of it (with a worker, or on the way to one) and not begun. */
  place: 'nowhere' | 'queue' | 'out' = 'nowhere'
  #incident: Incident | null = null
  #label: string | null

  constructor(
    readonly number: number,
    readonly index: number,
    /** In a command pool, one for all. */
    readonly fn: TaskFunction | null,
    public args: TaskArguments,
    readonly owner: TaskOwner | null,
    label: string | null,
    /** {@link RunFlag}s of module tasks. */
    readonly flags: number,
  ) {
    this.#label = label
  }

  get id(): string {
    return `t${this.number}`
  }

  /** Made when it is first asked for: nobody looks at most tasks. */
  get label(): string {
    return (this.#label ??= this.fn?.labelOf(this.args) ?? this.id)
  }

  get incident(): Incident {
    return (this.#incident ??= {
      stuck: false,
      verdict: null,
      verdictToldAt: 0,
      intent: null,
      timer: undefined,
      endedAt: null,
      callError: undefined,
    })
  }

  get stuck(): boolean {
    return this.#incident?.stuck ?? false
  }

  get verdict(): Verdict | null {
    return this.#incident?.verdict ?? null
  }

  get intent(): EndIntent | null {
    return this.#incident?.intent ?? null
  }

  get endedAt(): number | null {
    return this.#incident?.endedAt ?? null
  }

  /** How long the current run has taken. */
  get elapsedMs(): number {
    return performance.now() - this.since / 10
  }

  /** Forgets a verdict of an earlier run, or of a task that is well after all. */
  clearVerdict(): void {
    if (this.#incident) this.#incident.verdict = null
  }

  clearTimer(): void {
    if (this.#incident === null) return
    clearTimeout(this.#incident.timer)
    this.#incident.timer = undefined
  }

  /** The number behind an id, undefined when it is not one. */
  static numberOf(id: string): number | undefined {
    const match = /^t(\d+)$/.exec(id)
    return match ? Number(match[1]) : undefined
  }
}

/** A task as others see it: plain data, of this moment. */
export function describeTask(task: Task): TaskInfo {
  const ended = task.state !== 'queued' && task.state !== 'running'
  return {
    id: task.id,
    label: task.label,
    state: task.state,
    index: task.index,
    startedAt: task.startedAt,
    endedAt: ended ? (task.endedAt ?? Date.now()) : null,
    elapsedMs: task.state === 'running' ? task.elapsedMs : null,
    attempt: task.attempt,
    stuck: task.stuck,
    verdict: task.verdict,
  }
}
