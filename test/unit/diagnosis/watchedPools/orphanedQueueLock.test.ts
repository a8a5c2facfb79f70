import { describe, expect, it } from 'vitest'
import {
  busy,
  codes,
  dead,
  evidence,
  job,
  killed,
  lockWait,
  ownLockWait,
  pool,
  reader,
  task,
  verdict,
  wait,
  worker,
} from './facts'

const holder = dead(2, killed, { holds: ['tasks'], task: null })
const waiting = [worker(1), worker(3)]

describe('a queue lock whose holder died', () => {
  it('is named with the dead holder, and the address that the others wait at', () => {
    const found = verdict(
      pool({ queued: 9, jobs: [job({ left: 9 })], workers: [...waiting, holder] }),
      'orphaned-queue-lock',
    )
    expect(found).toMatchObject({
      summary:
        'train.py:42 will wait for ever: ForkPoolWorker-2 (pid 4712) was ended by SIGKILL while it held the lock ' +
        'of the task queue, so no worker can take a task; 9 tasks queued.',
      advice: 'Rescue: release the lock, so that the other workers go on.',
      confidence: 'certain',
      stuck: true,
      worker: 'ForkPoolWorker-2',
      pid: 4712,
      task: null,
      rescue: [{ kind: 'lock', lock: 'tasks', worker: 'ForkPoolWorker-2', pid: 4712 }],
    })
    expect(evidence(found)).toContain('ForkPoolWorker-2 (pid 4712) held the lock of the task queue when it ended')
    expect(evidence(found)).toContain('exit of ForkPoolWorker-2 (pid 4712): exit -9 (SIGKILL)')
    expect(evidence(found)).toContain(
      'ForkPoolWorker-1 (pid 4711), ForkPoolWorker-3 (pid 4713), all at futex 0x7f3770bf5000',
    )
  })

  it('keeps nobody waiting while nothing is to be done, but is told', () => {
    expect(verdict(pool({ jobs: [], workers: [...waiting, holder] }), 'orphaned-queue-lock')).toMatchObject({
      stuck: false,
      summary: expect.stringContaining('is idle, but can do nothing more') as unknown,
    })
  })

  it('does not yet keep anybody waiting while all that is left is in work', () => {
    expect(verdict(pool({ workers: [busy(1), worker(3), holder] }), 'orphaned-queue-lock').stuck).toBe(false)
    expect(
      verdict(pool({ taskPipeBytes: 90, workers: [busy(1), worker(3), holder] }), 'orphaned-queue-lock').stuck,
    ).toBe(true)
  })

  it('is certain by the waiting workers where the state of the lock is unknown, and likely without either', () => {
    expect(
      verdict(pool({ locks: { tasks: null, results: null }, workers: [...waiting, holder] }), 'orphaned-queue-lock')
        .confidence,
    ).toBe('certain')
    expect(
      verdict(pool({ locks: { tasks: null, results: null }, workers: [busy(1), holder] }), 'orphaned-queue-lock')
        .confidence,
    ).toBe('likely')
  })

  it('can be that of the result queue', () => {
    const sending = (number: number): ReturnType<typeof worker> =>
      worker(number, { phase: 'sending', task: task(number, { sending: true }) })
    const found = verdict(
      pool({
        locks: { tasks: 'taken', results: 'taken' },
        jobs: [job({ left: 3 })],
        workers: [sending(1), reader(3), dead(2, killed, { holds: ['results'], task: task(2, { sending: true }) })],
      }),
      'orphaned-queue-lock',
    )
    expect(found).toMatchObject({
      stuck: true,
      rescue: [{ kind: 'lock', lock: 'results', pid: 4712 }],
      summary: expect.stringContaining('no worker can send a result; 3 results not arrived') as unknown,
    })
    expect(found.advice).toContain('written half')
  })

  it('is only likely, and cannot be released, while the program does not answer', () => {
    expect(
      verdict(pool({ parent: { answers: false }, queued: 3, workers: [...waiting, holder] }), 'orphaned-queue-lock'),
    ).toMatchObject({ confidence: 'likely', rescue: [] })
  })

  it(
    'keeps nobody waiting when terminate() has the lock, has ended the reader, and waits for the end of ' +
      'another worker',
    () => {
      const ending = {
        state: 'terminate' as const,
        workers: [
          dead(2, { exitCode: null, signal: 'SIGTERM', agoMs: 3000 }, { holds: ['tasks'], task: null }),
          busy(3, { sigterm: 'caught' }),
        ],
      }
      const parent = { waitsIn: 'train.py:50 (<module>), in Pool.terminate' }
      expect(codes(pool({ ...ending, parent: { ...parent, wait: wait('child', { child: 4713 }) } }))).not.toContain(
        'orphaned-queue-lock',
      )
      expect(codes(pool({ ...ending, parent: { ...parent, wait: wait('poll') } }))).not.toContain('orphaned-queue-lock')
      expect(codes(pool({ ...ending, parent: { ...parent, wait: lockWait() } }))).toContain('orphaned-queue-lock')
    },
  )
  it('keeps terminate() waiting, too', () => {
    const terminating = {
      state: 'terminate' as const,
      parent: { waitsIn: 'train.py:50 (<module>), in Pool.terminate' },
      workers: [dead(2, { ...killed, agoMs: 5000 }, { holds: ['tasks'], task: null })],
    }
    expect(verdict(pool(terminating), 'orphaned-queue-lock')).toMatchObject({
      stuck: true,
      summary: expect.stringMatching(/; terminate\(\) waits for that lock\.$/) as unknown,
    })
    // terminate() itself ends the reader, takes the lock and returns within milliseconds.
    expect(
      codes(pool({ ...terminating, parent: { waitsIn: 'train.py:50 (<module>), in Pool.terminate', quietMs: 500 } })),
    ).toEqual([])
    expect(codes(pool({ ...terminating, parent: { waitsIn: null } }))).toEqual([])
  })

  it.each([
    ['the lock is free', { locks: { tasks: 'free', results: 'free' } as const, workers: [...waiting, holder] }],
    ['somebody alive notes that they hold it', { workers: [reader(1, { wait: null }), worker(3), holder] }],
    ['somebody alive reads the queue', { workers: [worker(1, { wait: wait('pipe-read') }), worker(3), holder] }],
    [
      'the holder ended this moment',
      { workers: [busy(1), dead(2, { ...killed, agoMs: 100 }, { holds: ['tasks'], task: null })] },
    ],
    ['the dead worker held nothing', { workers: [reader(1), busy(3), dead(2, killed, { task: null })] }],
    [
      'the pool is in an executor that has just lost a worker',
      { library: 'concurrent.futures' as const, workers: [...waiting, holder] },
    ],
  ])('is no orphan when %s', (_, facts) => {
    expect(codes(pool({ queued: 3, ...facts }))).toEqual([])
  })
})

describe('workers that all wait for one lock', () => {
  it('have probably lost its holder', () => {
    const found = verdict(pool({ queued: 3, workers: waiting }), 'orphaned-queue-lock')
    expect(found).toMatchObject({
      confidence: 'likely',
      stuck: true,
      worker: null,
      rescue: [],
      summary: expect.stringContaining('all 2 workers wait for one lock, and nobody holds it') as unknown,
    })
    expect(evidence(found)).toContain('all at futex 0x7f3770bf5000')
  })

  it('may be a single one', () => {
    expect(verdict(pool({ queued: 3, workers: [worker(1)] }), 'orphaned-queue-lock').summary).toContain(
      'its only worker waits for one lock',
    )
  })

  it('have it at addresses of their own when they were spawned', () => {
    const workers = [worker(1, { wait: lockWait('0x1000') }), worker(2, { wait: lockWait('0x2000') })]
    expect(codes(pool({ queued: 3, startMethod: 'spawn', workers }))).toEqual(['orphaned-queue-lock'])
    expect(codes(pool({ queued: 3, startMethod: 'fork', workers }))).toEqual([])
  })

  it.each([
    ['one of them reads the queue', { workers: [reader(1), worker(2)] }],
    ['they have waited for less than a second', { workers: [worker(1, { quietMs: 900 }), worker(2)] }],
    [
      'they wait in a task of theirs, for a lock of the program',
      { workers: [busy(1, { wait: lockWait(), quietMs: 9000 }), worker(2)] },
    ],
    ['they are being started, and the initializer may wait', { workers: [worker(1, { phase: 'starting' })] }],
    ['they wait for a lock of their own', { workers: [worker(1, { wait: ownLockWait() })] }],
    ['the lock is free', { locks: { tasks: 'free', results: 'free' } as const, workers: waiting }],
  ])('have not lost it when %s', (_, facts) => {
    expect(codes(pool({ queued: 3, taskPipeBytes: null, ...facts }))).toEqual([])
  })

  it('are only a possibility in a program that nobody watches, and stuck when nothing moves for long', () => {
    const unknown = (number: number, quietMs: number): ReturnType<typeof worker> =>
      worker(number, { phase: 'unknown', quietMs })
    const attached = {
      library: 'unknown' as const,
      startMethod: null,
      threads: null,
      queued: null,
      jobs: [],
      locks: { tasks: null, results: null },
      taskPipeBytes: null,
      resultPipeBytes: null,
    }
    expect(
      verdict(pool({ ...attached, workers: [unknown(1, 5000), unknown(2, 5000)] }), 'orphaned-queue-lock'),
    ).toMatchObject({ confidence: 'possible', stuck: false })
    expect(
      verdict(
        pool({ ...attached, parent: { quietMs: 60_000 }, workers: [unknown(1, 40_000), unknown(2, 40_000)] }),
        'orphaned-queue-lock',
      ).stuck,
    ).toBe(true)
    expect(codes(pool({ ...attached, workers: [unknown(1, 5000)] }))).toEqual([])
    // They have slept in their tasks, and the lock passes from one to the next at this moment.
    expect(
      codes(
        pool({
          ...attached,
          parent: { quietMs: 60_000 },
          workers: [unknown(1, 40_000), { ...unknown(2, 40_000), waitsMs: 0 }],
        }),
      ),
    ).toEqual([])
    expect(
      codes(
        pool({
          ...attached,
          workers: [unknown(1, 5000), unknown(2, 5000), worker(3, { phase: 'unknown', wait: wait('pipe-read') })],
        }),
      ),
    ).toEqual([])
    expect(codes(pool({ ...attached, library: 'processes', workers: [unknown(1, 5000), unknown(2, 5000)] }))).toEqual(
      [],
    )
  })
})
