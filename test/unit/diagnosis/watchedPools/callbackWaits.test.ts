import { describe, expect, it } from 'vitest'
import { busy, codes, evidence, pool, reader, verdict, worker } from './facts'

const ask = { at: 'train.py:12 (on_done), in Pool.apply', waitsForOwnPool: true, quietMs: 2000 }
const save = { at: 'train.py:20 (save)', waitsForOwnPool: false, quietMs: 30_000 }
const idle = { workers: [reader(1), worker(2)] }

describe('a callback of a pool', () => {
  it('that waits for the pool itself waits for the thread that it runs in', () => {
    const found = verdict(pool({ ...idle, callback: ask }), 'self-wait')
    expect(found).toMatchObject({ stuck: true, confidence: 'certain', worker: null, pid: 4700, rescue: [] })
    expect(found.summary).toBe(
      "train.py:42 will wait for ever: a callback of it waits for the pool's own results in train.py:12 " +
        '(on_done), in Pool.apply, in the thread that receives them.',
    )
    expect(evidence(found)).toContain('map(run, 12 items): 1 not answered')
    expect(codes(pool({ ...idle, callback: ask }))).toEqual(['self-wait'])
  })

  it('is named although the pool uses a whole core: it does that while results are not received', () => {
    expect(
      codes(pool({ ...idle, callback: ask, resultPipeBytes: 27, unchangedMs: 0, parent: { quietMs: 0 } })),
    ).toEqual(['self-wait'])
  })

  it('that does not return is named when nothing has moved for as long as a task may take', () => {
    const quiet = { ...idle, callback: save }
    const found = verdict(pool(quiet), 'no-progress')
    expect(found).toMatchObject({ stuck: true, confidence: 'likely', worker: null, pid: 4700 })
    expect(found.summary).toBe(
      'A callback of train.py:42 has not returned for 30 s (train.py:20 (save)), and no result is received ' +
        'while it runs.',
    )
    // Its result is not received, for the same reason.
    const sending = busy(3, {
      phase: 'sending',
      task: { ...busy(3).task!, sending: true, runningMs: 40_000 },
      quietMs: 40_000,
    })
    expect(codes(pool({ ...quiet, workers: [sending, reader(1)] }))).toEqual(['no-progress'])
  })

  it.each([
    ['has just begun, or computes', { callback: { ...save, quietMs: 29_000 } }],
    ['waits for the pool only for a moment', { callback: { ...ask, quietMs: 1900 } }],
    ['was seen in a program that does not answer any more', { callback: ask, parent: { answers: false } }],
    ['belongs to a pool that is being ended', { callback: ask, state: 'terminate' as const }],
    ['nobody waits for', { callback: ask, jobs: [] }],
  ])('is left alone when it %s', (_, facts) => {
    expect(codes(pool({ ...idle, ...facts }))).toEqual([])
  })
})
