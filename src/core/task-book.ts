import { ItemSource } from './item-source'
import { describeTask, Task } from './task'
import { TaskQueue } from './task-queue'
import type { FailureRecord, TaskCounts, TaskEndDetail, TaskState } from './types'

/** Failures are what people look at afterwards; more than a screen can show is of no use, and bounds a pool that only fails. */
const keptFailures = 1000

type FinalState = Exclude<TaskState, 'queued' | 'running'>

/** Every task a pool has to do, is doing and could not do, and their number in each state. Every step is O(1). */
export class TaskBook {
  readonly #queue = new TaskQueue()
  readonly #sources: { source: ItemSource; make: (item: unknown, index: number) => Task }[] = []
  readonly #sourceOf = new Map<Task, ItemSource>()
  readonly #tasks = new Map<number, Task>()
  readonly #failures: { task: Task; record: FailureRecord }[] = []
  readonly #ended: Record<FinalState, number> = { done: 0, failed: 0, lost: 0, timedOut: 0, cancelled: 0 }
  #running = 0
  #stuck = 0
  #failureCount = 0

  get counts(): TaskCounts {
    let queued = this.#queue.length
    for (const { source } of this.#sources) queued += source.remaining
    return { queued, running: this.#running, stuck: this.#stuck, ...this.#ended }
  }

  get running(): number {
    return this.#running
  }

  /** Nothing waits and nothing runs. Sources whose length is unknown count as waiting. */
  get empty(): boolean {
    return this.#running === 0 && !this.waiting
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

  *runningTasks(): Generator<Task> {
    for (const task of this.#tasks.values()) if (task.state === 'running') yield task
  }

  add(task: Task): void {
    this.#tasks.set(task.number, task)
    this.#queue.push(task)
  }

  addSource(source: ItemSource, make: (item: unknown, index: number) => Task): void {
    this.#sources.push({ source, make })
  }

  /** The next task to run. */
  next(): Task | undefined {
    const queued = this.#queue.shift()
    if (queued) return queued
    for (;;) {
      const first = this.#sources[0]
      if (!first) return undefined
      const taken = first.source.take()
      if (taken === undefined) {
        this.#sources.shift()
        continue
      }
      const task = first.make(taken.item, taken.index)
      this.#tasks.set(task.number, task)
      this.#sourceOf.set(task, first.source)
      return task
    }
  }

  started(task: Task): void {
    task.state = 'running'
    task.attempt++
    task.startedAt = Date.now()
    task.startedMonotonic = performance.now()
    this.#running++
  }

  setStuck(task: Task, stuck: boolean): void {
    if (task.stuck === stuck) return
    task.stuck = stuck
    this.#stuck += stuck ? 1 : -1
  }

  /** Runs once more, before those that have not run yet. */
  requeue(task: Task): void {
    this.#leaveRunning(task)
    task.state = 'queued'
    task.startedAt = null
    task.intent = null
    this.#queue.unshift(task)
  }

  end(task: Task, state: FinalState, detail: TaskEndDetail): void {
    if (task.state === 'running') this.#leaveRunning(task)
    task.state = state
    task.endedAt = Date.now()
    this.#ended[state]++
    this.#tasks.delete(task.number)
    if (state !== 'done') {
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

  /** It was given out, but could not be started yet. */
  putBack(task: Task): void {
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

  #leaveRunning(task: Task): void {
    this.#running--
    this.setStuck(task, false)
  }
}
