import type { Verdict } from '../diagnosis'
import type { Settle } from './async-result'
import type { TaskInfo, TaskState } from './types'

/** What a task runs in a module pool. `args` is serialized already when it could have failed to be. */
export interface ModuleCall {
  readonly fn: string
  readonly module: string | null
  readonly args: readonly unknown[] | Buffer
  readonly keepResult: boolean
}

/** Why a running task is being ended; decides what becomes of it once its worker is gone. */
export type EndIntent =
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'timeout' }
  /** Because it is stuck; `again` when it is to run once more. */
  | { readonly kind: 'stuck'; readonly again: boolean }

/** The pool's record of one task. Mutable, and seen by nobody outside of the pool; others get {@link describeTask}. */
export class Task {
  state: TaskState = 'queued'
  attempt = 0
  startedAt: number | null = null
  /** The same moment on a clock that nobody sets. */
  startedMonotonic = 0
  endedAt: number | null = null
  stuck = false
  verdict: Verdict | null = null
  /** When listeners last heard of the verdict, on the monotonic clock. */
  verdictToldAt = 0
  intent: EndIntent | null = null
  /** Why there is no call: its item cannot be cloned. */
  callError: unknown
  /** Kills it when it has run for `timeoutMs`. */
  timer: NodeJS.Timeout | undefined
  /** Neighbours in the queue (an intrusive list: no allocation, and any task can be taken out at once). */
  previous: Task | null = null
  next: Task | null = null
  queued = false

  constructor(
    readonly number: number,
    readonly index: number,
    /** Module pools. */
    readonly call: ModuleCall | null,
    /** Command pools, and what a module's item was, so that it can run again. */
    readonly item: unknown,
    readonly settle: Settle<unknown> | null,
    readonly label: string,
  ) {}

  get id(): string {
    return `t${this.number}`
  }

  /** The number behind an id, undefined when it is not one. */
  static numberOf(id: string): number | undefined {
    const match = /^t(\d+)$/.exec(id)
    return match ? Number(match[1]) : undefined
  }
}

/** A task as others see it: plain data, of this moment. */
export function describeTask(task: Task): TaskInfo {
  return {
    id: task.id,
    label: task.label,
    state: task.state,
    index: task.index,
    startedAt: task.startedAt,
    endedAt: task.endedAt,
    attempt: task.attempt,
    stuck: task.stuck,
    verdict: task.verdict,
  }
}
