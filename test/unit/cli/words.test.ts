import { describe, expect, it } from 'vitest'
import { countWords } from '../../../src/cli/words/counts'
import { plural } from '../../../src/cli/words/plural'
import { counts } from './snapshotBuilders'

describe('counts', () => {
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
