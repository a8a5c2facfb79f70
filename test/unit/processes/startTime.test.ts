import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
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

  describe('with a clock that is hours and half an hour behind UTC', () => {
    // In UTC, where tests usually run, an offset of a wrong sign is right.
    beforeEach(() => {
      vi.stubEnv('TZ', 'America/St_Johns')
    })
    afterEach(() => {
      vi.unstubAllEnvs()
    })
    const started = Date.UTC(2024, 4, 31, 14, 30) / 1000

    test('are read in the local time of the day on Windows', () => {
      expect(parseStarted('2024-05-31 12:00:00', 'win32')).toBe(started)
    })

    test('are read with the offset of today elsewhere', () => {
      expect(parseStarted('2024-05-31 12:00:00', 'darwin', new Date('2024-06-01T00:00:00Z'))).toBe(started)
    })

    test('are read with the offset of today also when the clocks have changed since', () => {
      expect(parseStarted('2024-05-31 11:00:00', 'darwin', new Date('2024-12-01T00:00:00Z'))).toBe(started)
    })
  })
})
