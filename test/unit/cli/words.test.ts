import { describe, expect, it } from 'vitest'
import { countWords, totalTasks } from '../../../src/cli/words/counts'
import { formatExit } from '../../../src/cli/words/exit'
import { formatBytes, formatDuration, plural } from '../../../src/cli/words/quantities'
import { counts } from './snapshotBuilders'

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [-5, '0 ms'],
    [842, '842 ms'],
    [3149, '3.1 s'],
    [9999, '9.9 s'],
    [42_900, '42 s'],
    [125_000, '2 min 05 s'],
    [3_599_999, '59 min 59 s'],
    [3_780_000, '1 h 03 min'],
    [100 * 3_600_000, '100 h 00 min'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('sizes', () => {
  it.each([
    [512, '512 B'],
    [43_000_000, '41 MB'],
    [1_288_490_189, '1.2 GB'],
    [2048, '2 kB'],
  ])('%d bytes read %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

describe('exits, the Python way', () => {
  it('shows a code as it is', () => {
    expect(formatExit({ exitCode: 1, signal: null })).toBe('exit 1')
  })
  it('shows a signal as a negative number with its name', () => {
    expect(formatExit({ exitCode: null, signal: 'SIGKILL' })).toBe('exit -9 (SIGKILL)')
  })
  it('shows a signal that this system does not know by its name', () => {
    expect(formatExit({ exitCode: null, signal: 'SIGODD' })).toBe('exit by SIGODD')
  })
  it('shows nothing for what still lives', () => {
    expect(formatExit({ exitCode: null, signal: null })).toBeUndefined()
  })
})

describe('counts', () => {
  it('does not count a stuck task twice', () => {
    expect(totalTasks(counts({ running: 2, stuck: 1, done: 10 }))).toBe(12)
  })
  it('leaves zeroes out', () => {
    expect(countWords(counts({ running: 2, stuck: 1, done: 10 }))).toEqual(['10 of 12 done', '2 running', '1 stuck'])
  })
  it('says timed out in two words', () => {
    expect(countWords(counts({ timedOut: 1 }))).toContain('1 timed out')
  })
})

it('says one worker and two workers', () => {
  expect([plural(1, 'worker'), plural(2, 'worker'), plural(2, 'process', 'processes')]).toEqual([
    '1 worker',
    '2 workers',
    '2 processes',
  ])
})
