import type { Task } from './task'

/** First in, first out, every operation O(1) whatever the length; a task that is cancelled leaves from the middle. */
export class TaskQueue {
  #first: Task | null = null
  #last: Task | null = null
  #length = 0

  get length(): number {
    return this.#length
  }

  push(task: Task): void {
    task.previous = this.#last
    task.next = null
    if (this.#last) this.#last.next = task
    else this.#first = task
    this.#last = task
    this.#length++
    task.place = 'queue'
  }

  /** To the front: a task that runs again has waited already. */
  unshift(task: Task): void {
    task.previous = null
    task.next = this.#first
    if (this.#first) this.#first.previous = task
    else this.#last = task
    this.#first = task
    this.#length++
    task.place = 'queue'
  }

  shift(): Task | undefined {
    const task = this.#first
    if (task === null) return undefined
    this.remove(task)
    return task
  }

  /** Nothing happens when the task is not queued. */
  remove(task: Task): void {
    if (task.place !== 'queue') return
    if (task.previous) task.previous.next = task.next
    else this.#first = task.next
    if (task.next) task.next.previous = task.previous
    else this.#last = task.previous
    task.previous = null
    task.next = null
    task.place = 'nowhere'
    this.#length--
  }
}
