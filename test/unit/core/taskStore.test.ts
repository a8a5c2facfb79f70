import { describe, expect, it } from 'vitest'
import { PendingItems } from '../../../src/core/tasks/pendingItems'
import { Task } from '../../../src/core/tasks/task'
import { TaskStore } from '../../../src/core/tasks/taskStore'
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

describe('the task store', () => {
  it('counts every task in exactly one state', () => {
    const store = new TaskStore()
    const tasks = [task(), task(), task()]
    for (const one of tasks) store.add(one)
    const first = store.next()!
    store.started(first)
    store.setStuck(first, true)
    expect(store.counts).toEqual({
      queued: 2,
      running: 1,
      stuck: 1,
      done: 0,
      failed: 0,
      lost: 0,
      timedOut: 0,
      cancelled: 0,
    })
    store.end(first, 'lost', () => detail)
    expect(store.counts).toEqual({
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
    const store = new TaskStore()
    const one = task()
    store.add(one)
    expect(store.find(one.id)).toBe(one)
    store.started(store.next()!)
    store.end(one, 'failed', () => detail)
    expect(store.find(one.id)).toBeUndefined()
    expect(store.findFailure(one.id)?.record).toMatchObject({ task: { state: 'failed', id: one.id }, detail })
    expect(store.find('nonsense')).toBeUndefined()
  })

  it('keeps the last 1000 failures and counts them all', () => {
    const store = new TaskStore()
    for (let i = 0; i < 1500; i++) store.end(task(i), 'failed', () => detail)
    expect(store.failureCount).toBe(1500)
    expect(store.failures).toHaveLength(1000)
    expect(store.failures[0]!.task.index).toBe(500)
  })

  it('takes queued tasks before items, and items one by one', async () => {
    const store = new TaskStore()
    const source = new PendingItems(['a', 'b'], undefined)
    store.addSource(source, (item, index) => task(index, item))
    const queued = task()
    store.add(queued)
    expect(store.counts.queued).toBe(3)
    expect(store.next()).toBe(queued)
    const a = store.next()!
    expect(a.args).toEqual(['a'])
    expect(store.counts.queued).toBe(3)
    store.started(queued)
    store.started(a)
    expect(store.counts.queued).toBe(1)
    store.end(queued, 'done', () => detail)
    const b = store.next()!
    store.started(b)
    expect(store.next()).toBeUndefined()
    expect(store.waiting).toBe(false)
    store.end(a, 'done', () => detail)
    store.end(b, 'failed', () => detail)
    await source.done
    store.end(queued, 'cancelled', () => detail)
    expect(store.empty).toBe(true)
  })

  it('runs a task again before others, in a new attempt', () => {
    const store = new TaskStore()
    store.add(task())
    const first = store.next()!
    store.started(first)
    store.add(task())
    store.requeue(first)
    expect(first).toMatchObject({ state: 'queued', startedAt: null, attempt: 1 })
    expect(store.next()).toBe(first)
    store.started(first)
    expect(first.attempt).toBe(2)
  })

  it('counts a task that is out and has not begun as queued, and gives it out again when it comes back', () => {
    const store = new TaskStore()
    store.add(task())
    const out = store.next()!
    expect(store.counts).toMatchObject({ queued: 1, running: 0 })
    expect(store.empty).toBe(false)
    store.started(out)
    store.notBegun(out)
    expect(out).toMatchObject({ state: 'queued', attempt: 0, startedAt: null })
    store.putBack(out)
    expect(store.counts).toMatchObject({ queued: 1, running: 0 })
    expect(store.next()).toBe(out)
  })

  it('forgets items nobody has taken, and counts them as cancelled', async () => {
    const store = new TaskStore()
    const source = new PendingItems(Array.from({ length: 10 }), undefined)
    store.addSource(source, (item, index) => task(index, item))
    store.add(task())
    expect([...store.takeOutAll()]).toHaveLength(1)
    expect(store.counts).toMatchObject({ queued: 0, cancelled: 10 })
    await source.done
  })
})
