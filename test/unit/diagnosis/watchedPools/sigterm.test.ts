import { describe, expect, it } from 'vitest'
import { busy, codes, evidence, pool, reader, task, verdict, worker } from './facts'

const running = { phase: 'running', state: 'sleeping', quietMs: 3000, cpuMs: 0 } as const

describe('a worker that SIGTERM will not end', () => {
  const old = { ...running, quietMs: 0, task: task(3, { runningMs: 1000 }) }
  it.each([
    ['ignored', 'ignores', 'certain', 'will'],
    ['blocked', 'blocks', 'certain', 'will'],
    ['caught', 'catches', 'possible', 'may'],
  ] as const)('because it is %s is named before any signal', (sigterm, verb, confidence, may) => {
    expect(verdict(pool({ workers: [busy(3, { ...old, sigterm })] }), 'sigterm-ignored')).toMatchObject({
      summary:
        `ForkPoolWorker-3 (pid 4713) of train.py:42 ${verb} SIGTERM in task 3 run(3): terminate() ` +
        `${may} not end it.`,
      confidence,
      stuck: false,
      worker: 'ForkPoolWorker-3',
    })
  })
  it('is stuck once one was sent in vain', () => {
    expect(
      verdict(pool({ workers: [busy(3, { ...old, sigterm: 'blocked', sigtermPending: true })] }), 'sigterm-ignored'),
    ).toMatchObject({
      stuck: true,
      confidence: 'certain',
      summary: expect.stringContaining('was sent SIGTERM and is still there') as unknown,
    })
    expect(
      verdict(pool({ workers: [worker(3, { sigterm: 'caught', sigtermPending: true })] }), 'sigterm-ignored'),
    ).toMatchObject({ stuck: true, confidence: 'likely' })
  })
  it('has one pending only where its masks say so: what is ignored is discarded', () => {
    const of = (facts: Parameters<typeof busy>[1]) =>
      verdict(pool({ workers: [busy(3, { ...old, ...facts })] }), 'sigterm-ignored')
    expect(evidence(of({ sigterm: 'blocked', sigtermPending: true }))).toContain('a SIGTERM that was sent: is pending')
    const ours = of({ sigterm: 'ignored', sigtermSentMs: 3000 })
    expect(ours).toMatchObject({
      stuck: true,
      rescue: [],
      summary: expect.stringContaining('was sent SIGTERM and is still there') as unknown,
    })
    expect(evidence(ours)).toContain('a SIGTERM that we sent: 3.0 s ago, has not ended it: it was discarded')
    expect(evidence(ours)).not.toContain('pending')
    expect(evidence(of({ sigterm: 'caught', sigtermSentMs: 5000 }))).toMatch(
      /a SIGTERM that we sent: 5\.0 s ago, has not ended it$/m,
    )
  })
  it('is stuck when its pool was terminated and it is still there', () => {
    const found = verdict(
      pool({ state: 'terminate', workers: [busy(3, { ...old, quietMs: 4000, sigterm: 'caught' })] }),
      'sigterm-ignored',
    )
    expect(found).toMatchObject({ stuck: true, confidence: 'likely' })
    expect(evidence(found)).toContain('the pool: was terminated')
    expect(
      verdict(
        pool({ state: 'terminate', workers: [busy(3, { ...old, quietMs: 1000, sigterm: 'ignored' })] }),
        'sigterm-ignored',
      ).stuck,
    ).toBe(true)
    expect(
      verdict(
        pool({ state: 'terminate', workers: [busy(3, { ...old, quietMs: 900, sigterm: 'ignored' })] }),
        'sigterm-ignored',
      ).stuck,
    ).toBe(false)
  })
  it('is given time to tidy up, from when its pool began to end: it may have slept before', () => {
    const asleep = busy(3, { ...old, quietMs: 5000, sigterm: 'caught' })
    expect(verdict(pool({ state: 'terminate', stateMs: 3900, workers: [asleep] }), 'sigterm-ignored').stuck).toBe(false)
    expect(verdict(pool({ state: 'terminate', stateMs: 4000, workers: [asleep] }), 'sigterm-ignored').stuck).toBe(true)
    expect(
      verdict(pool({ state: 'terminate', stateMs: 0, workers: [{ ...asleep, sigterm: 'ignored' }] }), 'sigterm-ignored')
        .stuck,
    ).toBe(false)
  })
  it('says so beside the lack of progress, and instead of being slow', () => {
    expect(
      codes(
        pool({
          workers: [busy(3, { ...running, sigterm: 'caught', quietMs: 20_000, task: task(3, { runningMs: 31_000 }) })],
        }),
      ),
    ).toEqual(['no-progress', 'sigterm-ignored'])
    expect(
      codes(
        pool({
          workers: [busy(3, { ...running, sigterm: 'caught', quietMs: 20, task: task(3, { runningMs: 31_000 }) })],
        }),
      ),
    ).toEqual(['sigterm-ignored'])
  })
  it.each([
    ['it is idle', {}, reader(3, { sigterm: 'caught' })],
    [
      'it inherited the handler of the program',
      { parent: { sigterm: 'caught' as const } },
      busy(3, { ...old, sigterm: 'caught' }),
    ],
    ['its task has just begun', {}, busy(3, { ...old, sigterm: 'ignored', task: task(3, { runningMs: 900 }) })],
    ['it takes the signal as everybody does', {}, busy(3, { ...old, sigterm: 'default', sigtermPending: true })],
    ['nobody can tell', {}, busy(3, { ...old, sigterm: null })],
  ])('is not named when %s', (_, facts, of) => {
    expect(codes(pool({ jobs: [], ...facts, workers: [of] }))).toEqual([])
  })
})
