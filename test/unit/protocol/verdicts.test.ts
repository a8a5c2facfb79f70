import { describe, expect, it } from 'vitest'
import { stuckByVerdicts } from '../../../src/protocol'

describe('what is stuck by the verdicts', () => {
  const on = (worker: string | null, stuck = true) => ({ worker, stuck })
  it.each([
    ['nothing', [], 0],
    ['nothing, where all are only told', [on('a', false), on(null, false)], 0],
    ['a worker once, however many are about it', [on('a'), on('a'), on('b'), on('b'), on(null)], 2],
    ['the pool as a whole, where none is about a worker', [on(null), on(null), on('a', false)], 1],
  ])('is %s', (_, verdicts, expected) => {
    expect(stuckByVerdicts(verdicts)).toBe(expected)
  })
})
