import { describe, expect, test } from 'vitest'
import { isSameStart, parseStarted, startTimeFromSeconds } from '../../../src/processes/anywhere/startTime'

describe('start times in whole seconds', () => {
  const started = (seconds: number) => ({ pid: 42, startTime: startTimeFromSeconds(seconds) })

  test('a second apart are the same start, for the system itself is no surer', () => {
    expect(isSameStart(started(1000), started(1001))).toBe(true)
    expect(isSameStart(started(1000), started(1005))).toBe(false)
  })

  test('of another kind of table are never the same', () => {
    expect(isSameStart(started(1000), { pid: 42, startTime: 'b1946ac9-1000' })).toBe(false)
  })

  test('are read in the local time of the day on Windows', () => {
    expect(parseStarted('2024-05-31 12:00:00', 'win32')).toBe(new Date(2024, 4, 31, 12).getTime() / 1000)
  })

  test('are read with the offset of today elsewhere', () => {
    const now = new Date()
    const shifted = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString()
    const text = `${shifted.slice(0, 10)} ${shifted.slice(11, 19)}`
    expect(parseStarted(text, 'darwin', now)).toBe(Math.floor(now.getTime() / 1000))
  })
})
