import { describe, expect, test } from 'vitest'
import { DisposableStore, Emitter, liveDisposableStores } from '../../../src/extension/lifecycle'

describe('DisposableStore', () => {
  test('ends what it owns in reverse order, once', () => {
    const ended: string[] = []
    const store = new DisposableStore()
    store.add({ dispose: () => ended.push('first') })
    store.add({ dispose: () => ended.push('second') })
    store.dispose()
    store.dispose()
    expect(ended).toEqual(['second', 'first'])
  })

  test('ends at once what comes too late', () => {
    const store = new DisposableStore()
    store.dispose()
    let ended = false
    store.add({
      dispose: () => {
        ended = true
      },
    })
    expect(ended).toBe(true)
  })

  test('is counted while it lives', () => {
    const before = liveDisposableStores()
    const store = new DisposableStore()
    expect(liveDisposableStores()).toBe(before + 1)
    store.dispose()
    expect(liveDisposableStores()).toBe(before)
  })
})

describe('Emitter', () => {
  test('reaches every listener although one throws, and lets the error out', () => {
    const emitter = new Emitter<number>()
    const heard: number[] = []
    emitter.event(() => {
      throw new Error('first listener')
    })
    emitter.event((value) => heard.push(value))
    expect(() => {
      emitter.fire(7)
    }).toThrow('first listener')
    expect(heard).toEqual([7])
  })

  test('lets the same function listen twice and leave once', () => {
    const emitter = new Emitter<void>()
    let calls = 0
    const listener = (): void => {
      calls++
    }
    const first = emitter.event(listener)
    emitter.event(listener)
    first.dispose()
    emitter.fire()
    expect(calls).toBe(1)
  })
})
