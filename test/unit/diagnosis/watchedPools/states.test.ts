import { describe, expect, it } from 'vitest'
import { busy, codes, dead, evidence, pool, reader, task, verdict, wait, worker } from './facts'

describe('a stopped worker', () => {
  const stopped = { state: 'stopped', stoppedMs: 500, quietMs: 3000 } as const
  it('keeps its task, and can be continued', () => {
    expect(verdict(pool({ workers: [reader(1), busy(3, stopped)] }), 'stopped')).toMatchObject({
      summary:
        'ForkPoolWorker-3 (pid 4713) of train.py:42 is stopped (SIGSTOP or a debugger), so task 3 run(3) cannot go on.',
      confidence: 'certain',
      stuck: true,
      worker: 'ForkPoolWorker-3',
      pid: 4713,
      task: '3',
      rescue: [{ kind: 'continue', worker: 'ForkPoolWorker-3', pid: 4713 }],
    })
  })
  it('explains why its task does not get on', () => {
    expect(
      codes(pool({ workers: [busy(3, { ...stopped, quietMs: 60_000, task: task(3, { runningMs: 90_000 }) })] })),
    ).toEqual(['stopped'])
  })
  it('that holds the lock of the queue keeps all others waiting', () => {
    const found = verdict(pool({ queued: 5, workers: [reader(1, stopped), worker(2)] }), 'stopped')
    expect(found).toMatchObject({
      stuck: true,
      summary: expect.stringContaining('wait for a lock that it holds') as unknown,
    })
    expect(evidence(found)).toContain('queue locks that it holds: tasks')
    expect(codes(pool({ queued: 5, workers: [reader(1, stopped), worker(2)] }))).toEqual(['stopped'])
  })
  it('that was idle keeps nobody waiting', () => {
    expect(verdict(pool({ workers: [busy(1), worker(3, stopped)] }), 'stopped').stuck).toBe(false)
  })
  it('is none when a profiler held it for a moment', () => {
    expect(codes(pool({ workers: [busy(3, { ...stopped, stoppedMs: 499 })] }))).toEqual([])
    // Two samples saw it stopped, but it was continued in between.
    expect(codes(pool({ workers: [busy(3, { ...stopped, stateSeenTimes: 2, stoppedMs: 0 })] }))).toEqual([])
    // A long quiet wait of the program is no proof: it may have slept.
    expect(codes(pool({ parent: { state: 'stopped', stoppedMs: 0, quietMs: 16_000 }, workers: [busy(1)] }))).toEqual([])
  })
})

describe('a stopped program', () => {
  it('is named once, with its workers', () => {
    const facts = pool({
      parent: { state: 'stopped', stoppedMs: 500, answers: false },
      workers: [busy(1, { state: 'stopped' }), busy(2, { state: 'stopped' })],
    })
    expect(codes(facts)).toEqual(['stopped'])
    expect(verdict(facts, 'stopped')).toMatchObject({
      worker: null,
      pid: 4700,
      stuck: true,
      rescue: [],
      advice: expect.stringContaining('kill -CONT 4700') as unknown,
    })
  })
  it("does not make its workers' results a full pipe or a lack of progress", () => {
    const sending = busy(1, {
      phase: 'sending',
      quietMs: 60_000,
      task: task(1, { sending: true, runningMs: 90_000 }),
      wait: wait('pipe-write'),
    })
    expect(codes(pool({ parent: { state: 'stopped', answers: false }, workers: [sending] }))).toEqual(['stopped'])
  })
  it('still has lost what it has lost', () => {
    expect(
      codes(
        pool({
          parent: { state: 'stopped', answers: false },
          workers: [dead(3, { agoMs: 3000 }, { task: task(3, { awaited: null }) })],
        }),
      ),
    ).toEqual(['lost-task', 'stopped'])
  })
})

describe('a worker in state D', () => {
  const inKernel = { state: 'uninterruptible', stateSeenTimes: 3, quietMs: 15_000 } as const
  it('is out of reach', () => {
    expect(
      verdict(
        pool({ workers: [busy(3, { ...inKernel, wait: wait('other', { wchan: 'nfs_wait_bit_killable' }) })] }),
        'uninterruptible',
      ),
    ).toMatchObject({ confidence: 'likely', stuck: true, worker: 'ForkPoolWorker-3' })
  })
  it('explains why its task does not get on', () => {
    expect(
      codes(pool({ workers: [busy(3, { ...inKernel, quietMs: 60_000, task: task(3, { runningMs: 90_000 }) })] })),
    ).toEqual(['uninterruptible'])
  })
  it.each([
    ['it was seen so twice', { stateSeenTimes: 2 }],
    ['it moved: a busy disk', { quietMs: 14_000 }],
    ['it is idle', { phase: 'idle' as const, task: null }],
  ])('is fine when %s', (_, of) => {
    expect(codes(pool({ workers: [reader(1), busy(3, { ...inKernel, ...of })], jobs: [] }))).toEqual([])
  })
})

describe('a task over the threshold', () => {
  const long = { task: task(3, { runningMs: 30_000 }) }
  it('does not get on when it has used no CPU time for half of it', () => {
    const found = verdict(
      pool({
        workers: [
          busy(3, { ...long, quietMs: 15_000, state: 'sleeping', wait: wait('sleep', { wchan: 'hrtimer_nanosleep' }) }),
        ],
      }),
      'no-progress',
    )
    expect(found).toMatchObject({
      summary: 'task 3 run(3) in ForkPoolWorker-3 (pid 4713) of train.py:42 has used no CPU for 15 s.',
      confidence: 'likely',
      stuck: true,
      task: '3',
    })
    expect(evidence(found)).toContain('ForkPoolWorker-3 waits for: a timer (hrtimer_nanosleep)')
  })
  it('is slow while it works, as in long C code', () => {
    expect(verdict(pool({ workers: [busy(3, { ...long, quietMs: 14_000 })] }), 'slow')).toMatchObject({
      stuck: false,
      confidence: 'likely',
    })
    expect(codes(pool({ parent: { answers: false }, workers: [busy(3, { ...long, quietMs: 0 })] }))).toEqual(['slow'])
  })
  it('is neither before', () => {
    expect(codes(pool({ workers: [busy(3, { task: task(3, { runningMs: 29_000 }), quietMs: 29_000 })] }))).toEqual([])
  })
  it('that sends its result waits for a program that is busy in C code', () => {
    const sending = { phase: 'sending' as const, task: task(3, { runningMs: 60_000, sending: true }), quietMs: 60_000 }
    expect(codes(pool({ parent: { answers: false }, workers: [busy(3, sending)] }))).toEqual([])
    expect(codes(pool({ workers: [busy(3, sending)] }))).toEqual(['no-progress'])
    expect(
      codes(pool({ threads: { workers: true, tasks: true, results: false }, workers: [busy(3, sending)] })),
    ).toEqual(['result-thread-dead'])
  })
})

describe('a pool in good health', () => {
  it.each([
    ['works', { queued: 8, jobs: [], workers: [busy(1), busy(2)] }],
    ['idles', { jobs: [], workers: [reader(1), worker(2), worker(3)] }],
    ['is closed', { state: 'close' as const, jobs: [], workers: [] }],
    ['has ended', { state: 'ended' as const, jobs: [], workers: [] }],
    ['has not begun', { state: 'init' as const, jobs: [], workers: [] }],
    [
      'recycles its workers',
      {
        queued: 50,
        workers: [
          busy(9),
          worker(10, { phase: 'starting', quietMs: 0 }),
          dead(7, { exitCode: 0, agoMs: 10 }, { task: null }),
          dead(8, { exitCode: 0, agoMs: 20 }, { task: null }),
        ],
      },
    ],
    [
      'is taken down with its program',
      {
        state: 'terminate' as const,
        workers: [
          dead(1, { exitCode: null, signal: 'SIGTERM' }),
          dead(2, { exitCode: null, signal: 'SIGTERM' }, { holds: ['tasks'] }),
        ],
      },
    ],
  ] as const)('that %s has no verdict', (_, facts) => {
    expect(codes(pool(facts as never))).toEqual([])
  })
})
