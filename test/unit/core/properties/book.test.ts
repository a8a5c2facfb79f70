import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TaskEndDetail } from '../../../../src/core'
import { Task } from '../../../../src/core/tasks/task'
import { TaskStore } from '../../../../src/core/tasks/taskStore'
import { TaskIndex } from '../../../../src/core/tasks/taskIndex'
import { TaskQueue } from '../../../../src/core/tasks/taskQueue'

const detail: TaskEndDetail = {
  message: 'no',
  error: null,
  worker: null,
  pid: null,
  exitCode: null,
  signal: null,
  elapsedMs: 0,
  stdoutPath: null,
  stderrPath: null,
  outputError: null,
}
const make = (number: number): Task => new Task(number, 0, null, [], null, 'label', 0)
const choice = fc.nat(1000)
const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % Math.max(1, from.length)]

describe('the queue', () => {
  it('is a list, whatever is done to it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ do: fc.constantFrom('push', 'unshift', 'shift', 'remove'), at: choice })),
        (steps) => {
          const queue = new TaskQueue()
          const model: Task[] = []
          const known: Task[] = []
          for (const { do: what, at } of steps) {
            if (what === 'push' || what === 'unshift') {
              const task = make(known.length + 1)
              known.push(task)
              queue[what](task)
              model[what](task)
            } else if (what === 'shift') {
              expect(queue.shift()).toBe(model.shift())
            } else {
              // Also one that is not in it any more: then nothing happens.
              const task = pick(known, at)
              if (task === undefined) continue
              queue.remove(task)
              if (model.includes(task)) model.splice(model.indexOf(task), 1)
            }
            expect(queue.length).toBe(model.length)
          }
          for (const task of model) expect(queue.shift()).toBe(task)
          expect(queue.shift()).toBeUndefined()
        },
      ),
    )
  })
})

describe('the index', () => {
  it('finds what is in it and nothing else, across its pages', () => {
    const number = fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1000, max: 1050 }),
      fc.integer({ min: 1, max: 2 ** 31 }),
    )
    fc.assert(
      fc.property(fc.array(fc.record({ set: fc.boolean(), number })), (steps) => {
        const index = new TaskIndex()
        const model = new Map<number, Task>()
        for (const { set, number } of steps) {
          if (set && !model.has(number)) {
            const task = make(number)
            model.set(number, task)
            index.set(task)
          } else if (!set) {
            index.delete(model.get(number) ?? make(number))
            model.delete(number)
          }
        }
        for (const { number } of steps) expect(index.get(number)).toBe(model.get(number))
      }),
    )
  })
})

type Place = 'queued' | 'out' | 'running' | 'ended'

describe('the store', () => {
  it('counts every task in exactly one state and loses none, whatever becomes of it', () => {
    const step = fc.record({
      do: fc.constantFrom(
        'add',
        'add',
        'next',
        'next',
        'started',
        'notBegun',
        'requeue',
        'putBack',
        'end',
        'cancel',
        'stuck',
      ),
      at: choice,
    })
    const states = ['done', 'failed', 'lost', 'timedOut', 'cancelled'] as const
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const store = new TaskStore()
        const places = new Map<Task, Place>()
        const ends: Record<(typeof states)[number], number> = { done: 0, failed: 0, lost: 0, timedOut: 0, cancelled: 0 }
        let number = 0
        const stuck = new Set<Task>()
        const one = (place: Place, at: number): Task | undefined =>
          pick(
            [...places].filter(([, is]) => is === place).map(([task]) => task),
            at,
          )
        const move = (place: Place, at: number, to: Place, act: (task: Task) => void): void => {
          const task = one(place, at)
          if (task === undefined) return
          act(task)
          stuck.delete(task)
          places.set(task, to)
        }
        for (const { do: what, at } of steps) {
          switch (what) {
            case 'add': {
              const task = make(++number)
              store.add(task)
              places.set(task, 'queued')
              break
            }
            case 'next': {
              const task = store.next()
              expect(task === undefined).toBe(one('queued', 0) === undefined)
              if (task === undefined) break
              expect(places.get(task)).toBe('queued')
              places.set(task, 'out')
              break
            }
            case 'started':
              move('out', at, 'running', (task) => {
                store.started(task)
              })
              break
            case 'notBegun':
              move('running', at, 'out', (task) => {
                store.notBegun(task)
              })
              break
            case 'requeue':
              move('running', at, 'queued', (task) => {
                store.requeue(task)
              })
              break
            case 'putBack':
              move('out', at, 'queued', (task) => {
                store.putBack(task)
              })
              break
            case 'stuck': {
              const task = one('running', at)
              if (task === undefined) break
              store.setStuck(task, true)
              stuck.add(task)
              break
            }
            case 'end':
            case 'cancel': {
              const state = what === 'cancel' ? 'cancelled' : (states[at % states.length] ?? 'done')
              move(what === 'cancel' ? 'queued' : 'running', at, 'ended', (task) => {
                if (what === 'cancel') store.takeOut(task)
                store.end(task, state, () => detail)
                ends[state]++
              })
              break
            }
          }
          const are = (place: Place): number => [...places.values()].filter((is) => is === place).length
          expect(store.counts).toEqual({
            queued: are('queued') + are('out'),
            running: are('running'),
            stuck: stuck.size,
            ...ends,
          })
          expect(store.queueLength).toBe(are('queued'))
          expect(store.empty).toBe(are('ended') === places.size)
        }
        for (const [task, place] of places) expect(store.find(task.id)).toBe(place === 'ended' ? undefined : task)
        expect(store.failureCount).toBe(Object.values(ends).reduce((sum, count) => sum + count, 0) - ends.done)
      }),
    )
  })
})
