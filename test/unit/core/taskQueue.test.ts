import { describe, expect, it } from 'vitest'
import { Task } from '../../../src/core/tasks/task'
import { TaskQueue } from '../../../src/core/tasks/taskQueue'

const task = (number: number): Task => new Task(number, number, null, [], null, `task ${number}`, 0)
const drain = (queue: TaskQueue): number[] => {
  const numbers: number[] = []
  for (let next = queue.shift(); next; next = queue.shift()) numbers.push(next.number)
  return numbers
}

describe('the task queue', () => {
  it('gives tasks out in the order they came', () => {
    const queue = new TaskQueue()
    for (const number of [1, 2, 3]) queue.push(task(number))
    expect(queue.length).toBe(3)
    expect(drain(queue)).toEqual([1, 2, 3])
    expect(queue.length).toBe(0)
  })

  it('gives a task that runs again out first', () => {
    const queue = new TaskQueue()
    queue.push(task(1))
    queue.unshift(task(2))
    queue.push(task(3))
    expect(drain(queue)).toEqual([2, 1, 3])
  })

  it.each([
    [1, [2, 3]],
    [2, [1, 3]],
    [3, [1, 2]],
  ])('lets task %i leave from where it stands', (number, rest) => {
    const queue = new TaskQueue()
    const tasks = [1, 2, 3].map(task)
    for (const one of tasks) queue.push(one)
    queue.remove(tasks[number - 1]!)
    expect(queue.length).toBe(2)
    expect(drain(queue)).toEqual(rest)
  })

  it('does nothing for a task that is not in it', () => {
    const queue = new TaskQueue()
    queue.push(task(1))
    queue.remove(task(2))
    const taken = queue.shift()!
    queue.remove(taken)
    expect(queue.length).toBe(0)
    queue.push(taken)
    expect(drain(queue)).toEqual([1])
  })

  it('takes a million tasks, and cancels half of them, in linear time', () => {
    const queue = new TaskQueue()
    const tasks = Array.from({ length: 1_000_000 }, (_, number) => task(number))
    const started = performance.now()
    for (const one of tasks) queue.push(one)
    for (const one of tasks) if (one.number % 2 === 0) queue.remove(one)
    expect(drain(queue).length).toBe(500_000)
    // Quadratic would be hours: this only tells the two apart.
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
