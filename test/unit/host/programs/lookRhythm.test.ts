import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LookSchedule } from '../../../../src/host/programs/parts/lookSchedule'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function looking(busy = true) {
  const times: number[] = []
  const start = Date.now()
  const rhythm = new LookSchedule(
    () => {
      times.push(Date.now() - start)
      return Promise.resolve({ busy })
    },
    (error) => {
      throw error
    },
  )
  return { rhythm, times }
}

describe('the rhythm of looks', () => {
  test('is dense after news, and then once a second while something is waited for', async () => {
    const { rhythm, times } = looking()
    rhythm.start()
    await vi.advanceTimersByTimeAsync(8000)
    expect(times.filter((time) => time < 1500).length).toBeGreaterThanOrEqual(4)
    expect(times.filter((time) => time > 4000).length).toBe(4)
    await rhythm.stop()
  })

  test('is slow while nothing is waited for', async () => {
    const { rhythm, times } = looking(false)
    rhythm.start()
    await vi.advanceTimersByTimeAsync(30_000)
    expect(times.filter((time) => time > 4000).length).toBeLessThanOrEqual(6)
    await rhythm.stop()
  })

  test('stays what it is when the wall clock is set', async () => {
    let looks = 0
    const rhythm = new LookSchedule(
      () => Promise.resolve({ busy: (looks += 1) > 0 }),
      (error) => {
        throw error
      },
    )
    rhythm.start()
    for (const offsetMs of [-3_600_000, 3_600_000]) {
      await vi.advanceTimersByTimeAsync(10_000)
      rhythm.hurry()
      await vi.advanceTimersByTimeAsync(100)
      vi.setSystemTime(Date.now() + offsetMs)
      looks = 0
      await vi.advanceTimersByTimeAsync(10_000)
      // Five after the news, and then one a second.
      expect(looks).toBeGreaterThanOrEqual(10)
      expect(looks).toBeLessThanOrEqual(12)
    }
    await rhythm.stop()
  })

  test('gathers a burst of news into one look', async () => {
    const { rhythm, times } = looking()
    rhythm.start()
    await vi.advanceTimersByTimeAsync(10_000)
    const before = times.length
    for (let news = 0; news < 50; news += 1) rhythm.hurry()
    await vi.advanceTimersByTimeAsync(100)
    expect(times.length - before).toBe(1)
    await rhythm.stop()
  })

  test('takes its rests however fast news come in', async () => {
    let looks = 0
    const rhythm = new LookSchedule(
      async () => {
        looks += 1
        await new Promise((resolve) => setTimeout(resolve, 40))
        return { busy: true }
      },
      (error) => {
        throw error
      },
    )
    rhythm.start()
    for (let tick = 0; tick < 1000; tick += 1) {
      rhythm.hurry()
      await vi.advanceTimersByTimeAsync(10)
    }
    // 10 s of news: each look of 40 ms is followed by eight times as much rest.
    expect(looks).toBeGreaterThan(20)
    expect(looks).toBeLessThanOrEqual(29)
    const stopped = rhythm.stop()
    await vi.advanceTimersByTimeAsync(100)
    await stopped
  })

  test('never looks twice at the same time, and a look that is asked for begins after it was asked for', async () => {
    let running = 0
    let looks = 0
    const rhythm = new LookSchedule(
      async () => {
        expect((running += 1)).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 100))
        running -= 1
        looks += 1
        return { busy: true }
      },
      (error) => {
        throw error
      },
    )
    rhythm.start()
    await vi.advanceTimersByTimeAsync(50)
    const asked = Promise.all([rhythm.now(), rhythm.now(), rhythm.now()])
    await vi.advanceTimersByTimeAsync(250)
    await asked
    expect(looks).toBe(2)
    const stopped = rhythm.stop()
    await vi.advanceTimersByTimeAsync(1000)
    await stopped
  })

  test('goes on after a look that failed, and stops when it is told to', async () => {
    const errors: unknown[] = []
    let looks = 0
    const rhythm = new LookSchedule(
      () => {
        looks += 1
        return Promise.reject(new Error('no'))
      },
      (error) => {
        errors.push(error)
      },
    )
    rhythm.start()
    await vi.advanceTimersByTimeAsync(3000)
    expect(errors.length).toBe(looks)
    expect(looks).toBeGreaterThan(2)
    await rhythm.stop()
    const after = looks
    await vi.advanceTimersByTimeAsync(20_000)
    expect(looks).toBe(after)
  })
})
