import { PendingItems } from './pendingItems'
import { describeTask, monotonicTenths, Task } from './task'
import { TaskIndex } from './taskIndex'
import { TaskQueue } from './taskQueue'
import type { FailureRecord, TaskCounts, TaskEndDetail, TaskState } from '../terms/types'

/**
 * Failures are what people look at afterwards; more than a screen can show is of no use, and bounds a pool that only
 * fails.
 */
const keptFailures = 1000

type FinalState = Exclude<TaskState, 'queued' | 'running'>

/** Every task a pool has to do, is doing and could not do, and their number in each state. Every step is O(1). */
export class TaskStore {
  readonly #queue = new TaskQueue()
  readonly #sources: { source: PendingItems; make: (item: unknown, index: number) => Task }[] = []
  readonly #sourceOf = new Map<Task, PendingItems>()
  readonly #tasks = new TaskIndex()
  readonly #failures: { task: Task; record: FailureRecord }[] = []
  readonly #ended: Record<FinalState, number> = { done: 0, failed: 0, lost: 0, timedOut: 0, cancelled: 0 }
  #running = 0
  /** Given to a worker, or about to be, and not begun. */
  #out = 0
  #stuck = 0
  #failureCount = 0

  get counts(): TaskCounts {
    let queued = this.#queue.length + this.#out
    for (const { source } of this.#sources) queued += source.remaining
    return { queued, running: this.#running, stuck: this.#stuck, ...this.#ended }
  }

  /** What could be given out now; items of unknown number count as many. */
  get backlog(): number {
    let waiting = this.#queue.length
    for (const { source } of this.#sources) waiting += source.left
    return waiting
  }

  /** In the queue; items that nobody has taken yet and what is with the workers do not count. */
  get queueLength(): number {
    return this.#queue.length
  }

  /** Nothing waits and nothing runs. Sources whose length is unknown count as waiting. */
  get empty(): boolean {
    return this.#running === 0 && this.#out === 0 && !this.waiting
  }

  get waiting(): boolean {
    return this.#queue.length > 0 || this.#sources.length > 0
  }

  get failures(): readonly FailureRecord[] {
    return this.#failures.map(({ record }) => record)
  }

  get failureCount(): number {
    return this.#failureCount
  }

  find(id: string): Task | undefined {
    const number = Task.numberOf(id)
    return number === undefined ? undefined : this.#tasks.get(number)
  }

  /** A task that did not end as done, while it is remembered. */
  findFailure(id: string): { task: Task; record: FailureRecord } | undefined {
    return this.#failures.find(({ task }) => task.id === id)
  }

  add(task: Task): void {
    this.#tasks.set(task)
    this.#queue.push(task)
  }

  addSource(source: PendingItems, make: (item: unknown, index: number) => Task): void {
    this.#sources.push({ source, make })
  }

  /** The next task to run; it is out from now on, until it is {@link started} or {@link putBack}. */
  next(): Task | undefined {
    const task = this.#queue.shift() ?? this.#fromSources()
    if (task === undefined) return undefined
    task.place = 'out'
    this.#out++
    return task
  }

  started(task: Task): void {
    if (task.place === 'out') this.#out--
    task.place = 'nowhere'
    task.state = 'running'
    task.attempt++
    const now = monotonicTenths()
    task.fn?.started(now - task.since)
    task.since = now
    task.startedAt = Date.now()
    this.#running++
  }

  /** It was thought to be {@link started}, but was not: it is out again. */
  notBegun(task: Task): void {
    this.#leaveRunning(task)
    task.state = 'queued'
    task.startedAt = null
    task.attempt--
    if (task.intent !== null) task.incident.intent = null
    task.place = 'out'
    this.#out++
  }

  setStuck(task: Task, stuck: boolean): void {
    if (task.stuck === stuck) return
    task.incident.stuck = stuck
    this.#stuck += stuck ? 1 : -1
  }

  /** Runs once more, before those that have not run yet. */
  requeue(task: Task): void {
    this.#leaveRunning(task)
    task.state = 'queued'
    task.startedAt = null
    task.since = monotonicTenths()
    if (task.intent !== null) task.incident.intent = null
    this.#queue.unshift(task)
  }

  /** `detailOf` is asked for when it did not end as done. */
  end(task: Task, state: FinalState, detailOf: () => TaskEndDetail): void {
    if (task.state === 'running') this.#leaveRunning(task)
    if (task.place === 'out') this.#out--
    task.place = 'nowhere'
    task.state = state
    this.#ended[state]++
    this.#tasks.delete(task)
    if (state !== 'done') {
      task.incident.endedAt = Date.now()
      const detail = detailOf()
      this.#failureCount++
      this.#failures.push({ task, record: { task: describeTask(task), detail } })
      if (this.#failures.length > keptFailures) this.#failures.shift()
    }
    const source = this.#sourceOf.get(task)
    if (source) {
      this.#sourceOf.delete(task)
      source.finished()
    }
  }

  /** It was given out, but has not been started: it is the next one again. */
  putBack(task: Task): void {
    if (task.place === 'out') this.#out--
    this.#queue.unshift(task)
  }

  /** Takes a queued task out of the queue; its end is still to be written. */
  takeOut(task: Task): void {
    this.#queue.remove(task)
  }

  /** Takes out every task that waits; items nobody has pulled yet are forgotten and counted as cancelled. */
  *takeOutAll(): Generator<Task> {
    for (const { source } of this.#sources.splice(0)) {
      this.#ended.cancelled += source.remaining
      source.stop()
    }
    for (let task = this.#queue.shift(); task; task = this.#queue.shift()) yield task
  }

  #fromSources(): Task | undefined {
    for (;;) {
      const first = this.#sources[0]
      if (!first) return undefined
      const taken = first.source.take()
      if (taken === undefined) {
        this.#sources.shift()
        continue
      }
      const task = first.make(taken.item, taken.index)
      this.#tasks.set(task)
      this.#sourceOf.set(task, first.source)
      return task
    }
  }

  #leaveRunning(task: Task): void {
    this.#running--
    this.setStuck(task, false)
  }
}
