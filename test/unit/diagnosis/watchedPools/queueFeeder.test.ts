import { describe, expect, it } from 'vitest'
import type { ProgramPoolFacts, ProgramWorkerFacts } from '../../../../src/diagnosis'
import { readersAmong } from '../../../../src/diagnosis'
import { busy, codes, evidence, frame, lockWait, ownLockWait, pool, reader, task, verdict, wait, worker } from './facts'

const write = wait('pipe-write', { descriptor: 6, target: 'pipe:[123]', wchan: 'anon_pipe_write' })
/** Its main thread waits for its feeder, which writes. */
const held = { wait: ownLockWait(), threadWaits: [write], threads: 2 }
const writer = (number: number, facts: Partial<ProgramWorkerFacts> = {}): ProgramWorkerFacts =>
  worker(number, { name: `ForkProcess-${number}`, phase: 'unknown', quietMs: 2000, ...held, ...facts })
/** Its feeder waits for the queue, to which the feeder of another process writes. */
const inLine = (number: number): ProgramWorkerFacts => writer(number, { threadWaits: [lockWait()] })
const joins = (pid: number): Partial<ProgramPoolFacts['parent']> => ({
  waitsIn: 'train.py:9 (<module>), in Process.join',
  joins: pid,
  quietMs: 2000,
})
type Facts = NonNullable<Parameters<typeof pool>[0]>
const processes = (facts: Facts): ProgramPoolFacts =>
  pool({ pool: 'train.py', library: 'processes', startMethod: null, jobs: [], ...facts })

describe('a process whose queue nobody empties', () => {
  it('is done and cannot end, while the program waits for its end', () => {
    const found = verdict(processes({ parent: joins(4711), workers: [writer(1)] }), 'output-pipe-full')
    expect(found).toMatchObject({ confidence: 'likely', stuck: true, worker: 'ForkProcess-1', pid: 4711, task: null })
    expect(found.summary).toBe(
      'ForkProcess-1 (pid 4711) of train.py is done with its work and cannot end: the feeder thread of its queue ' +
        'writes to a pipe, the pipe is full, and nobody reads it.',
    )
    expect(found.advice).toMatch(/^Take everything out of the queue before join\(\)/)
    expect(evidence(found)).toBe(
      [
        'another thread of ForkProcess-1 waits for: writing to descriptor 6, pipe:[123] (anon_pipe_write)',
        'ForkProcess-1 waits for: a lock: futex 0x55e0371a5300, of this process alone (futex_do_wait)',
        'CPU time: none for 2.0 s',
        'the program (pid 4700) waits in: train.py:9 (<module>), in Process.join',
        'process 4700 waits for: the end of process 4711',
      ].join('\n'),
    )
  })

  it('is the one that writes, when the program waits for one in line behind it', () => {
    const found = verdict(
      processes({ parent: joins(4711), workers: [inLine(1), writer(2), inLine(3)] }),
      'output-pipe-full',
    )
    expect(found).toMatchObject({ worker: 'ForkProcess-2', confidence: 'likely' })
    expect(evidence(found)).toContain('in line for the same queue: ForkProcess-1 (pid 4711), ForkProcess-3 (pid 4713)')
  })

  it('waits for room in it, and is not done', () => {
    const found = verdict(
      processes({ parent: joins(4711), workers: [writer(1, { wait: lockWait() })] }),
      'output-pipe-full',
    )
    expect(found.summary).toBe(
      'ForkProcess-1 (pid 4711) of train.py cannot go on: the feeder thread of its queue writes to a pipe, the ' +
        'pipe is full, and nobody reads it.',
    )
  })

  it('may be joined by another process of the program', () => {
    const other = worker(2, { phase: 'unknown', wait: wait('child', { child: 4711, wchan: 'do_wait' }) })
    const found = verdict(processes({ parent: joins(4712), workers: [writer(1), other] }), 'output-pipe-full')
    expect(evidence(found)).toContain('process 4712 waits for: the end of process 4711')
  })

  it('is known where the system call cannot be seen', () => {
    const word = wait('futex', { wchan: 'futex_do_wait' })
    expect(
      verdict(
        processes({
          parent: joins(4711),
          workers: [writer(1, { wait: word, threadWaits: [wait('pipe-write', { wchan: 'pipe_write' })] })],
        }),
        'output-pipe-full',
      ).summary,
    ).toContain('is done with its work')
  })

  it('is only possible where nobody knows what else the program does', () => {
    const attached = {
      library: 'unknown' as const,
      parent: { answers: false, waitsIn: null, joins: 4711, hasThreads: null, quietMs: 2000 },
      workers: [writer(1)],
    }
    const [writing] = attached.workers
    expect(codes(processes(attached))).toEqual([])
    const long = {
      ...attached,
      parent: { ...attached.parent, quietMs: 30_000 },
      workers: [{ ...writing!, quietMs: 30_000, feederWaitsMs: 30_000 }],
    }
    expect(verdict(processes(long), 'output-pipe-full').confidence).toBe('possible')
    expect(
      verdict(processes({ ...attached, parent: { ...attached.parent, hasThreads: false } }), 'output-pipe-full')
        .confidence,
    ).toBe('likely')
  })

  it.each([
    ['nobody waits for its end', { parent: { ...joins(4711), joins: null } }],
    ['the program waits for another, which may read', { parent: joins(4799) }],
    ['it wrote a moment ago', { parent: joins(4711), workers: [writer(1, { quietMs: 1900 })] }],
    ['the program moved a moment ago', { parent: { ...joins(4711), quietMs: 1900 } }],
    ['a thread of the program may read', { parent: { ...joins(4711), hasThreads: true } }],
    [
      'another process may read, which prints something at the moment',
      {
        parent: joins(4711),
        workers: [writer(1), worker(2, { phase: 'unknown', wait: wait('pipe-write', { descriptor: 1 }), waitsMs: 0 })],
      },
    ],
    [
      'another process may read, when the command that it runs has ended',
      {
        parent: joins(4711),
        workers: [writer(1), worker(2, { phase: 'unknown', wait: wait('child', { child: 4790 }) })],
      },
    ],
    [
      'another process may read',
      { parent: joins(4711), workers: [writer(1), worker(2, { phase: 'unknown', wait: wait('sleep') })] },
    ],
    [
      'its thread writes to the terminal',
      { parent: joins(4711), workers: [writer(1, { threadWaits: [{ ...write, descriptor: 1 }] })] },
    ],
    ['it gives up by itself', { parent: joins(4711), workers: [writer(1, { wait: ownLockWait({ timed: true }) })] }],
    [
      'its feeder waits for something to do',
      { parent: joins(4711), workers: [writer(1, { threadWaits: [ownLockWait()] })] },
    ],
  ] satisfies (readonly [string, Facts])[])('is fine when %s', (_, facts) => {
    expect(codes(processes({ workers: [writer(1)], ...facts }))).toEqual([])
  })

  it('is possible when another might read it, and has not for long', () => {
    const facts = (quietMs: number, feederWaitsMs: number): ProgramPoolFacts =>
      processes({
        parent: { ...joins(4711), quietMs: 60_000 },
        workers: [
          writer(1, { quietMs: 60_000, feederWaitsMs }),
          worker(2, { phase: 'unknown', wait: wait('sleep'), quietMs }),
        ],
      })
    expect(codes(facts(29_000, 60_000))).toEqual([])
    // The reader sleeps for three seconds between two items: it uses no CPU time that shows, but the feeder runs at
    // each of its reads.
    expect(codes(facts(60_000, 2900))).toEqual([])
    const found = verdict(facts(30_000, 30_000), 'output-pipe-full')
    expect(found).toMatchObject({
      worker: 'ForkProcess-1',
      confidence: 'possible',
      stuck: true,
      summary: expect.stringMatching(/the pipe is full, and nobody has read it for 30 s\.$/) as unknown,
    })
    expect(evidence(found)).toContain('bytes that were read from it: none for 30 s')
  })

  it('is not read by one that waits for its own feeder, and may be by one that is in line for it', () => {
    const stack = (name: string) => [
      frame('/usr/lib/python3.11/multiprocessing/synchronize.py', '__enter__'),
      frame('/usr/lib/python3.11/multiprocessing/queues.py', name),
    ]
    const between = (name: string) => writer(2, { wait: lockWait(), stack: stack(name) })
    expect(codes(processes({ parent: joins(4711), workers: [writer(1), between('put')] }))).toEqual([
      'output-pipe-full',
    ])
    expect(codes(processes({ parent: joins(4711), workers: [writer(1), between('Queue.get')] }))).toEqual([])
  })
})

describe('a worker of a pool whose queue nobody empties', () => {
  const idleWriter = worker(1, { ...held, quietMs: 2000 })
  it.each([
    ['the end of the pool', { state: 'close', jobs: [], parent: { waitsIn: 'train.py:9 (<module>), in Pool.join' } }],
    [
      'the end of an executor',
      {
        library: 'concurrent.futures',
        state: 'close',
        jobs: [],
        parent: { waitsIn: 'train.py:9 (<module>), in Executor.__exit__' },
      },
    ],
    [
      'results, which only others could bring',
      { queued: 2, parent: { waitsIn: 'train.py:9 (<module>), in Pool.map' } },
    ],
  ] satisfies (readonly [string, Facts])[])('is told when the program waits for %s', (_, facts) => {
    expect(verdict(pool({ workers: [idleWriter], ...facts }), 'output-pipe-full')).toMatchObject({
      worker: 'ForkPoolWorker-1',
      task: null,
      confidence: 'likely',
      summary: expect.stringContaining('is done with its work and cannot end') as unknown,
    })
  })

  it('is told in the middle of a task', () => {
    const found = verdict(
      pool({ workers: [busy(3, { ...held, wait: lockWait(), quietMs: 2000 })] }),
      'output-pipe-full',
    )
    expect(found).toMatchObject({ task: '3', confidence: 'likely' })
    expect(found.summary).toContain('cannot go on with task 3 run(3): the feeder thread of its queue writes')
  })

  it.each([
    ['others work', { queued: 2, workers: [idleWriter, busy(3)] }],
    [
      'the program takes things out of a queue',
      { queued: 2, parent: { waitsIn: 'train.py:9 (<module>), in Queue.get' } },
    ],
    ['the program is somewhere else', { queued: 2, parent: { waitsIn: null } }],
    [
      'the last result has come this moment',
      { queued: 2, unchangedMs: 1900, parent: { waitsIn: 'train.py:9 (<module>), in Pool.map' } },
    ],
    // polled_feeds(): it waits for 0.8 s, and then empties the queue.
    [
      'the program will not wait for long',
      {
        queued: 2,
        parent: { waitsIn: 'train.py:9 (<module>), in AsyncResult.wait', wait: ownLockWait({ timed: true }) },
      },
    ],
    ['nothing is waited for', { jobs: [], parent: { waitsIn: 'train.py:9 (<module>), in Pool.map' } }],
    [
      'a result is being sent',
      { workers: [worker(1, { ...held, phase: 'sending', task: task(1, { sending: true }) })] },
    ],
  ] satisfies (readonly [string, Facts])[])('is fine when %s', (_, facts) => {
    expect(codes(pool({ workers: [idleWriter], ...facts }))).toEqual([])
  })
})

describe('a program whose own queue nobody empties', () => {
  const parent = {
    waitsIn: 'util.py:360 (_exit_function), in Queue._finalize_join',
    wait: ownLockWait(),
    threadWaits: [write],
    quietMs: 2000,
  }
  it('cannot end', () => {
    const found = verdict(processes({ parent }), 'output-pipe-full')
    expect(found).toMatchObject({ confidence: 'likely', stuck: true, worker: null, pid: 4700, task: null })
    expect(found.summary).toBe(
      'The program of train.py (pid 4700) cannot end: the feeder thread of its queue writes to a pipe, the pipe ' +
        'is full, and no process is left that could read it.',
    )
  })

  it('cannot go on in JoinableQueue.join()', () => {
    expect(
      verdict(
        processes({ parent: { ...parent, waitsIn: 'train.py:9 (<module>), in JoinableQueue.join', wait: lockWait() } }),
        'output-pipe-full',
      ).summary,
    ).toContain('cannot go on: the feeder thread')
  })

  it('is given time, and may be another thing, where nobody knows what its threads are for', () => {
    const unknown = { ...parent, waitsIn: null, answers: false, hasThreads: null }
    expect(codes(processes({ library: 'unknown', parent: { ...unknown, quietMs: 29_000 } }))).toEqual([])
    const found = verdict(
      processes({ library: 'unknown', parent: { ...unknown, quietMs: 30_000 } }),
      'output-pipe-full',
    )
    expect(found).toMatchObject({
      confidence: 'possible',
      summary: expect.stringContaining(
        'another thread of it, as the feeder thread of a queue would, writes',
      ) as unknown,
    })
  })

  it.each([
    ['a process may read', { workers: [worker(1, { phase: 'unknown', wait: wait('sleep') })] }],
    ['a thread of its own may read', { parent: { ...parent, hasThreads: true } }],
    ['it hands out large tasks', { parent: { ...parent, waitsIn: 'train.py:9 (<module>), in Pool.map' } }],
    ['it wrote a moment ago', { parent: { ...parent, quietMs: 1900 } }],
  ] satisfies (readonly [string, Facts])[])('is fine when %s', (_, facts) => {
    expect(codes(processes({ parent, ...facts }))).toEqual([])
  })

  it('is told once, and not by each of its pools', () => {
    expect(codes(pool({ parent, workers: [reader(1)] }))).not.toContain('output-pipe-full')
  })
})

describe('who may read what others write', () => {
  it('is neither idle, nor waits for its own feeder or for the end of another, nor has ended', () => {
    expect(
      readersAmong([
        reader(1),
        writer(2),
        inLine(3),
        worker(4, { phase: 'unknown', wait: wait('child', { child: 4712 }) }),
        busy(5, { exit: null, state: 'zombie' }),
      ]),
    ).toEqual({ count: 0, quietMs: 0 })
  })
  it('has been quiet for as long as all of them', () => {
    expect(readersAmong([busy(1, { quietMs: 400 }), busy(2, { quietMs: 300 }), reader(3, { quietMs: 10 })])).toEqual({
      count: 2,
      quietMs: 300,
    })
  })
})
