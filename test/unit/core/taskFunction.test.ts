import { describe, expect, it } from 'vitest'
import { Task } from '../../../src/core/tasks/task'
import { TaskFunction } from '../../../src/core/tasks/taskFunction'
import { TaskIndex } from '../../../src/core/tasks/taskIndex'

const make = (): TaskFunction => new TaskFunction(0, null, 'f', 'f')
const run = (fn: TaskFunction, micros: number, times = 1): void => {
  for (let n = 0; n < times; n++) {
    fn.started(1)
    fn.ended(micros)
  }
}

describe('how many tasks of a function a worker may have', () => {
  it('is one before it is known how long they take', () => {
    expect(make().depth).toBe(1)
  })

  it('is many once a few were short', () => {
    const fn = make()
    run(fn, 2, 10)
    expect(fn.depth).toBeGreaterThan(100)
  })

  it('is as many as make up a millisecond', () => {
    const fn = make()
    run(fn, 100, 50)
    expect(fn.depth).toBeGreaterThanOrEqual(8)
    expect(fn.depth).toBeLessThanOrEqual(12)
  })

  it('is one when they take a millisecond or more', () => {
    const fn = make()
    run(fn, 1500, 10)
    expect(fn.depth).toBe(1)
  })

  it('is one at once after a long one, and for a while', () => {
    const fn = make()
    run(fn, 10, 100)
    run(fn, 50_000)
    expect(fn.depth).toBe(1)
    run(fn, 10, 10)
    expect(fn.depth).toBe(1)
    run(fn, 10, 500)
    expect(fn.depth).toBeGreaterThan(10)
  })

  it('is one for ever once it has printed', () => {
    const fn = make()
    run(fn, 1, 10)
    fn.printed()
    run(fn, 1, 1000)
    expect(fn.depth).toBe(1)
  })
})

describe('the statistics of a function', () => {
  it('are none before its first task', () => {
    expect(make().stats()).toBeUndefined()
  })

  it('tell run and wait times in milliseconds', () => {
    const fn = make()
    for (let n = 1; n <= 100; n++) {
      fn.started(n * 10)
      fn.ended(n * 1000)
    }
    const stats = fn.stats()!
    expect(stats).toMatchObject({ name: 'f', module: null, runs: 100, runMs: { min: 1 }, waitMs: { min: 1 } })
    expect(stats.runMs!.p50).toBeCloseTo(50, 0)
    expect(stats.runMs!.p99).toBeCloseTo(99, 0)
    expect(stats.runMs!.max).toBeCloseTo(100, 0)
    expect(stats.waitMs!.mean).toBeCloseTo(50.5, 0)
  })
})

describe('the index of tasks', () => {
  it('finds what is in it, over many pages, and forgets what left', () => {
    const index = new TaskIndex()
    const tasks = Array.from({ length: 5000 }, (_, n) => new Task(n + 1, 0, null, [], null, 't', 0))
    for (const task of tasks) index.set(task)
    expect(index.get(1)).toBe(tasks[0])
    expect(index.get(5000)).toBe(tasks[4999])
    for (const task of tasks.slice(0, 4000)) index.delete(task)
    index.delete(tasks[0]!)
    expect(index.get(4000)).toBeUndefined()
    expect(index.get(4001)).toBe(tasks[4000])
    expect(index.get(99_999)).toBeUndefined()
  })
})
