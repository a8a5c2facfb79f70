import { describe, expect, test } from 'vitest'
import {
  formatBytes,
  formatDuration,
  formatElapsed,
  formatPercent,
  formatSeconds,
  totalTasks,
} from '../../../src/words'

describe('A duration', () => {
  test.each([
    [0, '0 ms'],
    [-5, '0 ms'],
    [842, '842 ms'],
    [3149, '3.1 s'],
    [9999, '9.9 s'],
    [42_900, '42 s'],
    [125_000, '2 min 5 s'],
    [3_599_999, '59 min 59 s'],
    [3_780_000, '1 h 3 min'],
    [25 * 3_600_000 + 60_000, '1 d 1 h'],
    [100 * 3_600_000, '4 d 4 h'],
  ])('of %d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test.each([
    [0, '0 s'],
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [7_620_000, '2 h 7 min'],
    [97_200_000, '1 d 3 h'],
  ])('of %d ms is %s in whole seconds', (ms, text) => {
    expect(formatSeconds(ms)).toBe(text)
  })

  test.each<[number, boolean, string]>([
    [9_999, false, '9 s'],
    [10_000, false, '10 s'],
    [59_999, false, '50 s'],
    [119_000, false, '1 min'],
    [185_000, false, '3 min'],
    [4_000, true, '<10 s'],
    [42_000, true, '40 s'],
  ])('of %d ms in a row (calm: %s) is %s', (ms, calm, text) => {
    expect(formatElapsed(ms, calm)).toBe(text)
  })
})

describe('A size', () => {
  test.each([
    [0, '0 B'],
    [512, '512 B'],
    [1023, '1023 B'],
    [1024, '1 KB'],
    [2048, '2 KB'],
    [43_000_000, '41 MB'],
    [45_088_768, '43 MB'],
    [1_288_490_189, '1.2 GB'],
    [1_610_612_736, '1.5 GB'],
    [1_048_500, '1 MB'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

test.each([
  [0, '0 %'],
  [0.42, '0.4 %'],
  [36.6, '37 %'],
  [100, '100 %'],
])('%d percent is %s', (percent, text) => {
  expect(formatPercent(percent)).toBe(text)
})

test('A stuck task is not counted twice', () => {
  const counts = { queued: 0, running: 2, stuck: 1, done: 10, failed: 0, lost: 0, timedOut: 0, cancelled: 0 }
  expect(totalTasks(counts)).toBe(12)
})
