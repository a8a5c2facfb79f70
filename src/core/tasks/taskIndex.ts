import type { Task } from './task'

const pageBits = 10
const pageSize = 1 << pageBits

/**
 * Tasks by number. Numbers only grow, so pages of an array take a fifth of the memory of a Map; an empty page is given
 * back.
 */
export class TaskIndex {
  readonly #pages = new Map<number, { readonly tasks: (Task | undefined)[]; count: number }>()

  get(number: number): Task | undefined {
    return this.#pages.get(Math.floor(number / pageSize))?.tasks[number % pageSize]
  }

  set(task: Task): void {
    const at = Math.floor(task.number / pageSize)
    let page = this.#pages.get(at)
    if (page === undefined) {
      page = { tasks: new Array<Task | undefined>(pageSize), count: 0 }
      this.#pages.set(at, page)
    }
    page.tasks[task.number % pageSize] = task
    page.count++
  }

  delete(task: Task): void {
    const at = Math.floor(task.number / pageSize)
    const page = this.#pages.get(at)
    if (page?.tasks[task.number % pageSize] === undefined) return
    page.tasks[task.number % pageSize] = undefined
    if (--page.count === 0) this.#pages.delete(at)
  }
}
