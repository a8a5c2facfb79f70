import { describe, expect, it } from 'vitest'
import { ItemSource } from '../../../src/core/tasks/itemSource'
import { Task } from '../../../src/core/tasks/task'
import { TaskBook } from '../../../src/core/tasks/taskStore'
import type { TaskEndDetail } from '../../../src/core'

const detail: TaskEndDetail = {
  message: 'no',
  error: new Error('no'),
  worker: null,
  pid: null,
  exitCode: null,
  signal: null,
  elapsedMs: 0,
  stdoutPath: null,
  stderrPath: null,
  outputError: null,
}
let number = 0
const task = (index = 0, item: unknown = null): Task => new Task(++number, index, null, [item], null, 'label', 0)

describe('the task book', () => {
  it('counts every task in exactly one state', () => {
    const book = new TaskBook()
    const tasks = [task(), task(), task()]
    for (const one of tasks) book.add(one)
    const first = book.next()!
    book.started(first)
    book.setStuck(first, true)
    expect(book.counts).toEqual({
      queued: 2,
      running: 1,
      stuck: 1,
      done: 0,
      failed: 0,
      lost: 0,
      timedOut: 0,
      cancelled: 0,
    })
    book.end(first, 'lost', () => detail)
    expect(book.counts).toEqual({
      queued: 2,
      running: 0,
      stuck: 0,
      done: 0,
      failed: 0,
      lost: 1,
      timedOut: 0,
      cancelled: 0,
    })
  })

  it('finds tasks that wait or run, and failures, by id', () => {
    const book = new TaskBook()
    const one = task()
    book.add(one)
    expect(book.find(one.id)).toBe(one)
    book.started(book.next()!)
    book.end(one, 'failed', () => detail)
    expect(book.find(one.id)).toBeUndefined()
    expect(book.findFailure(one.id)?.record).toMatchObject({ task: { state: 'failed', id: one.id }, detail })
    expect(book.find('nonsense')).toBeUndefined()
  })

  it('keeps the last 1000 failures and counts them all', () => {
    const book = new TaskBook()
    for (let i = 0; i < 1500; i++) book.end(task(i), 'failed', () => detail)
    expect(book.failureCount).toBe(1500)
    expect(book.failures).toHaveLength(1000)
    expect(book.failures[0]!.task.index).toBe(500)
  })

  it('takes queued tasks before items, and items one by one', async () => {
    const book = new TaskBook()
    const source = new ItemSource(['a', 'b'], undefined)
    book.addSource(source, (item, index) => task(index, item))
    const queued = task()
    book.add(queued)
    expect(book.counts.queued).toBe(3)
    expect(book.next()).toBe(queued)
    const a = book.next()!
    expect(a.args).toEqual(['a'])
    expect(book.counts.queued).toBe(3)
    book.started(queued)
    book.started(a)
    expect(book.counts.queued).toBe(1)
    book.end(queued, 'done', () => detail)
    const b = book.next()!
    book.started(b)
    expect(book.next()).toBeUndefined()
    expect(book.waiting).toBe(false)
    book.end(a, 'done', () => detail)
    book.end(b, 'failed', () => detail)
    await source.done
    book.end(queued, 'cancelled', () => detail)
    expect(book.empty).toBe(true)
  })

  it('runs a task again before others, in a new attempt', () => {
    const book = new TaskBook()
    book.add(task())
    const first = book.next()!
    book.started(first)
    book.add(task())
    book.requeue(first)
    expect(first).toMatchObject({ state: 'queued', startedAt: null, attempt: 1 })
    expect(book.next()).toBe(first)
    book.started(first)
    expect(first.attempt).toBe(2)
  })

  it('counts a task that is out and has not begun as queued, and gives it out again when it comes back', () => {
    const book = new TaskBook()
    book.add(task())
    const out = book.next()!
    expect(book.counts).toMatchObject({ queued: 1, running: 0 })
    expect(book.empty).toBe(false)
    book.started(out)
    book.notBegun(out)
    expect(out).toMatchObject({ state: 'queued', attempt: 0, startedAt: null })
    book.putBack(out)
    expect(book.counts).toMatchObject({ queued: 1, running: 0 })
    expect(book.next()).toBe(out)
  })

  it('forgets items nobody has taken, and counts them as cancelled', async () => {
    const book = new TaskBook()
    const source = new ItemSource(Array.from({ length: 10 }), undefined)
    book.addSource(source, (item, index) => task(index, item))
    book.add(task())
    expect([...book.takeOutAll()]).toHaveLength(1)
    expect(book.counts).toMatchObject({ queued: 0, cancelled: 10 })
    await source.done
  })
})
