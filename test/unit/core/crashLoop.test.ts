import { describe, expect, it } from 'vitest'
import { CrashLoopBreaker } from '../../../src/core/workers/crashLoop'

const early = { acked: false, fruitful: false, exit: 'exit 1' }
const idle = { acked: true, fruitful: false, exit: 'exit -9 (SIGKILL)' }

describe('the crash-loop breaker', () => {
  it('gives up after the first wave and four more starts', () => {
    const breaker = new CrashLoopBreaker(4)
    for (let i = 0; i < 7; i++) breaker.exited(early)
    expect(breaker.tripped).toBe(false)
    breaker.exited(early)
    expect(breaker.tripped).toBe(true)
    expect(breaker.exits).toEqual(Array(8).fill('exit 1'))
  })

  it('waits longer and longer, at most 5 s', () => {
    const breaker = new CrashLoopBreaker(1)
    const delays = Array.from({ length: 9 }, () => {
      breaker.exited(early)
      return breaker.delayMs
    })
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
  })

  it('forgets all of it as soon as one worker is ready', () => {
    const breaker = new CrashLoopBreaker(1)
    for (let i = 0; i < 4; i++) breaker.exited(early)
    breaker.acked()
    expect(breaker).toMatchObject({ startsInARow: 0, probing: false, delayMs: 0 })
  })

  it('never gives up on workers that were ready, but slows down when they do nothing before they end', () => {
    const breaker = new CrashLoopBreaker(1)
    const delays = Array.from({ length: 6 }, () => {
      breaker.exited(idle)
      return breaker.delayMs
    })
    expect(delays).toEqual([0, 0, 0, 100, 200, 400])
    expect(breaker.tripped).toBe(false)
    breaker.worked()
    expect(breaker.delayMs).toBe(0)
  })

  it('does not slow down for workers that take a task with them', () => {
    const breaker = new CrashLoopBreaker(1)
    for (let i = 0; i < 50; i++) breaker.exited({ ...idle, fruitful: true })
    expect(breaker.delayMs).toBe(0)
  })
})
