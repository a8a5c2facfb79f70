import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AsyncResult, NotReadyError, TimeoutError } from '../../../src/core'
import { Task } from '../../../src/core/tasks/task'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})
const make = () => {
  const cancel = vi.fn(() => Promise.resolve())
  const result = new AsyncResult<number>({ cancelTasks: cancel }, undefined)
  AsyncResult.of(result, new Task(1, -1, null, [], result, 'task', 0))
  const settle = {
    resolve: (value: number) => {
      AsyncResult.settle(result, 'ok', value)
    },
    reject: (error: unknown) => {
      AsyncResult.settle(result, 'failed', error)
    },
  }
  return { result, settle, cancel }
}

describe('AsyncResult', () => {
  it('is not ready until it is settled, and then stays as it was settled first', async () => {
    const { result, settle } = make()
    expect(result.ready()).toBe(false)
    settle.resolve(1)
    settle.reject(new Error('too late'))
    expect(result.ready()).toBe(true)
    expect(result.successful()).toBe(true)
    expect(await result.get()).toBe(1)
  })

  it('successful() before it is ready is an error, as in CPython', () => {
    expect(() => make().result.successful()).toThrow(NotReadyError)
  })

  it('get() rejects with the error it was given, every time', async () => {
    const { result, settle } = make()
    const error = new Error('no')
    settle.reject(error)
    expect(result.successful()).toBe(false)
    await expect(result.get()).rejects.toBe(error)
    await expect(result.get()).rejects.toBe(error)
  })

  it('get() rejects with TimeoutError after timeoutMs, and may be asked again', async () => {
    const { result, settle } = make()
    const waiting = result.get({ timeoutMs: 50 })
    const rejected = expect(waiting).rejects.toBeInstanceOf(TimeoutError)
    await vi.advanceTimersByTimeAsync(50)
    await rejected
    settle.resolve(2)
    expect(await result.get({ timeoutMs: 50 })).toBe(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('wait() resolves when it is settled, and never rejects', async () => {
    const { result, settle } = make()
    const waiting = [result.wait(), result.wait({ timeoutMs: 1000 })]
    settle.reject(new Error('no'))
    await Promise.all(waiting)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('cancel() does nothing once it is settled', async () => {
    const { result, settle, cancel } = make()
    await result.cancel()
    expect(cancel).toHaveBeenCalledTimes(1)
    settle.resolve(1)
    await result.cancel()
    expect(cancel).toHaveBeenCalledTimes(1)
  })
})
