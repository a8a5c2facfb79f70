import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ChangeNotices } from '../../../src/host/state/changeNotices'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

it('tells of the first change after a silence at once', () => {
  const told: number[] = []
  const notices = new ChangeNotices(() => told.push(performance.now()))
  notices.changed()
  vi.advanceTimersByTime(1)
  expect(told).toHaveLength(1)
  vi.advanceTimersByTime(5000)
  notices.changed()
  vi.advanceTimersByTime(1)
  expect(told).toHaveLength(2)
})

it('tells at most four times in any second, and of the last change too', () => {
  const told: number[] = []
  const notices = new ChangeNotices(() => told.push(performance.now()))
  for (let ms = 0; ms < 3000; ms++) {
    notices.changed()
    vi.advanceTimersByTime(1)
  }
  const last = performance.now()
  vi.advanceTimersByTime(1000)
  for (const from of told) expect(told.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(4)
  expect(told.length).toBeGreaterThanOrEqual(11)
  expect(told.at(-1)).toBeGreaterThanOrEqual(last - 1)
})
