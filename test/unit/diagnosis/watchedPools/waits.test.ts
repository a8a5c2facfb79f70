import { describe, expect, it } from 'vitest'
import { judgeProgramPool } from '../../../../src/diagnosis'
import { busy, codes, evidence, frame, lockWait, ownLockWait, pool, reader, task, verdict, wait, worker } from './facts'

const running = { phase: 'running', state: 'sleeping', quietMs: 3000, cpuMs: 0 } as const

describe('a forked worker that waits for a lock of its own', () => {
  const forked = busy(3, { ...running, parentThreadsAtStart: 3, wait: ownLockWait(), threads: 1 })
  it('waits for a thread that only its parent has', () => {
    const found = verdict(pool({ workers: [reader(1), forked] }), 'fork-with-threads')
    expect(found).toMatchObject({ confidence: 'likely', stuck: true, worker: 'ForkPoolWorker-3', task: '3' })
    expect(found.summary).toBe(
      'ForkPoolWorker-3 (pid 4713) of train.py:42 will wait for ever in task 3 run(3): it was forked while the ' +
        'program had 2 other threads, and waits for a lock that nobody in it can release.',
    )
    expect(evidence(found)).toContain('futex 0x55e0371a5300, of this process alone')
    expect(evidence(found)).toContain('threads of ForkPoolWorker-3: 1')
  })
  it('may never have got to its first task', () => {
    expect(
      verdict(
        pool({ workers: [worker(3, { phase: 'starting', parentThreadsAtStart: 2, wait: ownLockWait() })] }),
        'fork-with-threads',
      ).summary,
    ).toContain('before its first task: it was forked while the program had 1 other thread,')
  })
  it('may be in a task of which nothing is noted', () => {
    expect(
      verdict(
        pool({ workers: [worker(3, { phase: 'unknown', parentThreadsAtStart: 2, wait: ownLockWait() })] }),
        'fork-with-threads',
      ).summary,
    ).toContain('will wait for ever: it was forked while')
  })
  it.each([
    ['it was spawned', { startMethod: 'spawn' }, {}],
    ['its parent had no other thread', {}, { parentThreadsAtStart: 1 }],
    ["nobody knows of its parent's threads", {}, { parentThreadsAtStart: null }],
    ['it has threads of its own, which may release it', {}, { threads: 2 }],
    ['its wait has an end', {}, { wait: ownLockWait({ timed: true }) }],
    ['it waits for others', {}, { wait: lockWait() }],
    ['the kernel does not say for what', {}, { wait: ownLockWait({ address: null }) }],
    ['one look saw it, right after its own thread had ended', {}, { aloneMs: 0 }],
    ['it has waited for less than two seconds', {}, { quietMs: 1900 }],
  ])('is fine when %s', (_, facts, of) => {
    expect(codes(pool({ ...facts, workers: [reader(1), { ...forked, ...of }] }))).toEqual([])
  })
})

describe('a task that waits for a pool', () => {
  const poolFile = '/usr/lib/python3.11/multiprocessing/pool.py'
  const stack = [
    frame('/usr/lib/python3.11/threading.py', 'wait', 320),
    frame(poolFile, 'wait', 765),
    frame(poolFile, 'get', 768),
    frame(poolFile, 'apply', 360),
    frame('/w/train.py', 'run', 12),
    frame(poolFile, 'worker', 125),
    frame('/usr/lib/python3.11/multiprocessing/process.py', 'run', 108),
    frame('/usr/lib/python3.11/multiprocessing/popen_fork.py', '_launch', 71),
  ]
  const asking = busy(3, { ...running, wait: ownLockWait(), stack })
  it('has only a copy of it', () => {
    const found = verdict(pool({ workers: [reader(1), asking] }), 'self-wait')
    expect(found).toMatchObject({ confidence: 'certain', stuck: true, worker: 'ForkPoolWorker-3', task: '3' })
    expect(evidence(found)).toContain('waits in: pool.py:765 wait, pool.py:768 get, pool.py:360 apply')
    expect(evidence(found)).toContain('train.py:12 run')
    expect(evidence(found)).not.toContain('popen_fork')
  })
  it('is not told as a fork with threads', () => {
    expect(codes(pool({ workers: [reader(1), { ...asking, parentThreadsAtStart: 3 }] }))).toEqual(['self-wait'])
  })
  it.each(['result', 'Future.result', 'as_completed', 'submit'])('may be in %s of an executor', (name) => {
    expect(
      codes(
        pool({
          workers: [reader(1), { ...asking, stack: [frame('/usr/lib/python3.13/concurrent/futures/_base.py', name)] }],
        }),
      ),
    ).toEqual(['self-wait'])
  })
  it('may be in submit(), whose lock was held when it was forked', () => {
    const [submit, bootstrap] = [
      frame('/usr/lib/python3.13/concurrent/futures/process.py', 'submit'),
      frame('/usr/lib/python3.13/multiprocessing/process.py', '_bootstrap'),
    ]
    expect(codes(pool({ workers: [reader(1), { ...asking, stack: [submit, bootstrap] }] }))).toEqual(['self-wait'])
    // The frames below belong to the program at the time of the fork.
    expect(
      codes(pool({ workers: [reader(1), { ...asking, stack: [frame('/w/train.py', 'run'), bootstrap, submit] }] })),
    ).toEqual([])
  })
  it('waits in vain when all workers do, and the queue is not empty', () => {
    const all = [1, 2].map((number) => busy(number, { ...running, threads: 3, wait: ownLockWait(), stack }))
    expect(codes(pool({ queued: 2, workers: all }))).toEqual(['self-wait', 'self-wait'])
    expect(verdict(pool({ queued: 2, workers: all.slice(0, 1) }), 'self-wait')).toMatchObject({ confidence: 'likely' })
    expect(codes(pool({ queued: 0, workers: all }))).toEqual([])
    expect(codes(pool({ queued: 2, workers: [...all, busy(3)] }))).toEqual([])
  })
  it.each([
    ['it has a pool of its own, with threads', { threads: 4 }],
    ['it has moved within two seconds', { quietMs: 1900 }],
    ['it waits for a pool of its own', { hasPools: true }],
    ['it gives up by itself', { wait: ownLockWait({ timed: true }) }],
    ['it is in something else', { stack: [frame('/w/train.py', 'get'), frame(poolFile, 'worker')] }],
    ['nobody has looked', { stack: null }],
    // own_executor_then_rest(): its own executor has ended, and it sleeps.
    ['it has moved on since', { stackIsOfWait: false, wait: wait('poll'), quietMs: 8700, waitsMs: 4000 }],
    ['one look saw it there', { waitsMs: 0, aloneMs: 0 }],
  ])('is fine when %s', (_, of) => {
    expect(codes(pool({ workers: [reader(1), { ...asking, ...of }] }))).toEqual([])
  })
})

describe('a worker that writes to a full pipe', () => {
  const toStdout = wait('pipe-write', { descriptor: 1, target: 'pipe:[123]', wchan: 'anon_pipe_write' })
  it('waits for the reader of its output, which may be a slow one', () => {
    const found = verdict(pool({ workers: [reader(1), busy(3, { ...running, wait: toStdout })] }), 'output-pipe-full')
    expect(found).toMatchObject({
      confidence: 'likely',
      stuck: false,
      worker: 'ForkPoolWorker-3',
      task: '3',
      advice: expect.stringMatching(
        /^It goes on as soon as somebody reads on \(.*\); it is called stuck when nobody has for 30 s\.$/,
      ) as unknown,
    })
    expect(found.summary).toBe(
      'ForkPoolWorker-3 (pid 4713) of train.py:42 has waited for 3.0 s in task 3 run(3): it writes to stdout, ' +
        'the pipe is full, and whoever reads it has not read for 3.0 s.',
    )
    expect(evidence(found)).toContain('writing to descriptor 1, pipe:[123] (anon_pipe_write)')
    expect(evidence(found)).toContain('bytes that were read from it: none for 3.0 s')
  })
  it('is stuck when nobody has read its output for as long as anything is given', () => {
    const quiet = { ...running, wait: toStdout, task: task(3, { runningMs: 90_000 }), quietMs: 90_000 }
    const of = (waitsMs: number) => pool({ workers: [reader(1), busy(3, { ...quiet, waitsMs })] })
    expect(judgeProgramPool(of(29_900)).map(({ code, stuck }) => [code, stuck])).toEqual([['output-pipe-full', false]])
    const found = verdict(of(30_000), 'output-pipe-full')
    expect(found).toMatchObject({
      confidence: 'likely',
      stuck: true,
      advice: "Read the program's stdout: whoever started it with a pipe has to empty that pipe while it runs.",
    })
    expect(found.summary).toBe(
      'ForkPoolWorker-3 (pid 4713) of train.py:42 cannot go on with task 3 run(3): it writes to stdout, the pipe ' +
        'is full, and nobody has read it for 30 s.',
    )
    // With a slow reader it makes progress, although it uses next to no CPU time.
    expect(codes(of(1900))).toEqual(['slow'])
  })
  it('may wait for long while others write to the same pipe in turn', () => {
    const long = busy(3, {
      ...running,
      wait: toStdout,
      task: task(3, { runningMs: 90_000 }),
      quietMs: 90_000,
      waitsMs: 90_000,
    })
    const of = (facts: Parameters<typeof busy>[1]) =>
      judgeProgramPool(
        pool({ workers: [reader(1), long, busy(4, { ...long, name: 'ForkPoolWorker-4', pid: 4714, ...facts })] }),
      ).find(({ pid }) => pid === long.pid)
    expect(of({ waitsMs: 4000 })).toMatchObject({
      code: 'output-pipe-full',
      stuck: false,
      summary: expect.stringContaining('and whoever reads it has not read for 4.0 s.') as unknown,
    })
    const flowing = of({ waitsMs: 400 })!
    expect(flowing).toMatchObject({
      stuck: false,
      summary: expect.stringMatching(
        /has waited for 1 min 30 s in .* the pipe is full, while another process writes to it as well\.$/,
      ) as unknown,
    })
    expect(evidence(flowing)).not.toContain('bytes that were read')
    expect(of({ waitsMs: 31_000 })).toMatchObject({
      stuck: true,
      summary: expect.stringContaining('nobody has read it for 31 s') as unknown,
    })
    expect(of({ waitsMs: 4000, wait: { ...toStdout, target: 'pipe:[124]' } })).toMatchObject({ stuck: true })
  })
  it('cannot go on with a pipe of the program, when the program waits for its pool and nobody is left to read', () => {
    const sends = busy(3, { ...running, wait: wait('pipe-write', { descriptor: 9 }) })
    const found = verdict(pool({ workers: [reader(1), sends] }), 'output-pipe-full')
    expect(found).toMatchObject({
      confidence: 'likely',
      stuck: true,
      advice: expect.stringMatching(/^Whoever is to read that has stopped reading/) as unknown,
    })
    expect(found.summary).toBe(
      'ForkPoolWorker-3 (pid 4713) of train.py:42 cannot go on with task 3 run(3): it writes to a pipe, the pipe ' +
        'is full, and nobody reads it.',
    )
    expect(verdict(pool({ workers: [reader(1), sends, busy(4)] }), 'output-pipe-full').stuck).toBe(false)
    expect(verdict(pool({ workers: [reader(1), sends], parent: { waitsIn: null } }), 'output-pipe-full').stuck).toBe(
      false,
    )
  })
  it('may be a process that sends things, while the program waits for its end', () => {
    const process = worker(3, { phase: 'unknown', quietMs: 2000, wait: wait('socket-write', { descriptor: 9 }) })
    const joins = { waitsIn: 'train.py:9 (<module>), in Process.join', joins: process.pid }
    expect(
      verdict(pool({ library: 'processes', jobs: [], parent: joins, workers: [process] }), 'output-pipe-full'),
    ).toMatchObject({ stuck: true, confidence: 'likely' })
    expect(
      codes(pool({ library: 'processes', jobs: [], parent: { ...joins, quietMs: 1900 }, workers: [process] })),
    ).toEqual([])
    expect(
      codes(pool({ library: 'processes', jobs: [], parent: { ...joins, joins: 4799 }, workers: [process] })),
    ).toEqual([])
  })
  it('is given time where two processes of a program talk, one of them slowly', () => {
    const process = (quietMs: number): ReturnType<typeof worker> =>
      worker(3, { phase: 'unknown', quietMs, waitsMs: quietMs, wait: toStdout })
    const facts = { library: 'unknown' as const, jobs: [], parent: { waitsIn: null, quietMs: 60_000 } }
    expect(codes(pool({ ...facts, workers: [process(29_000)] }))).toEqual([])
    expect(verdict(pool({ ...facts, workers: [process(30_000)] }), 'output-pipe-full').confidence).toBe('possible')
    const toAnother = { ...process(30_000), wait: wait('pipe-write', { descriptor: 9 }) }
    expect(
      codes(
        pool({ ...facts, workers: [toAnother, worker(4, { phase: 'unknown', quietMs: 29_000, wait: wait('sleep') })] }),
      ),
    ).toEqual([])
  })
  it.each([
    ['it wrote a moment ago', busy(3, { ...running, wait: toStdout, quietMs: 1900 })],
    // print_much(): it slept for three seconds and then began to write, to a reader that takes a portion every half
    // second.
    [
      'it has slept, and runs whenever somebody reads',
      busy(3, { ...running, wait: toStdout, quietMs: 3100, waitsMs: 400 }),
    ],
    [
      'it sends a result, and the program is slow to take it',
      busy(3, {
        ...running,
        phase: 'sending',
        task: task(3, { sending: true }),
        wait: wait('pipe-write', { descriptor: 5 }),
      }),
    ],
    [
      'it may send a result, where nothing is noted of its tasks',
      worker(3, { ...running, phase: 'unknown', quietMs: 90_000, wait: wait('pipe-write', { descriptor: 5 }) }),
    ],
    ['it reads', busy(3, { ...running, wait: wait('pipe-read', { descriptor: 0 }) })],
  ])('is fine when %s', (_, of) => {
    expect(codes(pool({ workers: [reader(1), of] }))).toEqual([])
  })
})

describe('a task that does not get on', () => {
  const waitsFor = (of: Parameters<typeof busy>[1]): string =>
    verdict(
      pool({ workers: [busy(3, { ...running, quietMs: 20_000, task: task(3, { runningMs: 31_000 }), ...of })] }),
      'no-progress',
    ).advice
  it.each([
    [
      'an answer',
      { wait: wait('socket-read') },
      /^It waits for the other side of a connection: give the call a time limit/,
    ],
    ['a process of its own', { wait: wait('child') }, /^It waits for a process that it started/],
    ['a timer', { wait: wait('sleep') }, /^It sleeps/],
    [
      'the user',
      { wait: wait('pipe-read', { descriptor: 0 }) },
      /^It waits for input: a task of a pool cannot ask the user/,
    ],
    [
      'a lock of multiprocessing',
      { wait: lockWait(), stack: [frame('/usr/lib/python3.11/multiprocessing/synchronize.py', '__enter__')] },
      /^It waits for a lock, an event or a queue of the program/,
    ],
    [
      'another process of this machine',
      { wait: wait('socket-read', { wchan: 'unix_stream_read_generic' }) },
      new RegExp(
        String.raw`^It waits for another process on this machine, as a call of a multiprocessing\.Manager does, ` +
          'which has no time limit(?!.*setdefaulttimeout)',
      ),
    ],
    [
      'an answer of multiprocessing',
      { wait: wait('socket-read'), stack: [frame('/usr/lib/python3.11/multiprocessing/managers.py', '_callmethod')] },
      /^It waits for another process on this machine/,
    ],
    ['anything else', { wait: wait('other') }, /^It has waited for 20 s so far: its stack shows for what\./],
  ])('may wait for %s', (_, of, advice) => {
    expect(waitsFor(of)).toMatch(advice)
  })
  it.each([
    ['multiprocessing', true, 'Killing ForkPoolWorker-3 loses the task, which a rescue can then fail or run again.'],
    ['multiprocessing', false, 'Killing ForkPoolWorker-3 loses the task, which a rescue can then fail.'],
    ['billiard', true, 'Killing ForkPoolWorker-3 loses the task, which billiard fails by itself some 10 s later.'],
    [
      'concurrent.futures',
      true,
      'Killing ForkPoolWorker-3 breaks the executor: every future that is not done fails with BrokenProcessPool.',
    ],
    [
      'loky',
      true,
      'Killing ForkPoolWorker-3 breaks the executor: every future that is not done fails with TerminatedWorkerError.',
    ],
  ] as const)('costs what its library makes of a killed worker: %s, retriable %s', (library, retriable, cost) => {
    const of = busy(3, {
      ...running,
      sigterm: 'ignored',
      quietMs: 20_000,
      task: task(3, { runningMs: 31_000, retriable }),
    })
    const facts = pool({ library, workers: [of] })
    expect(verdict(facts, 'no-progress').advice).toContain(` ${cost} Raise stuckAfterMs`)
    expect(verdict(facts, 'sigterm-ignored').advice).toContain(
      `Kill ForkPoolWorker-3 (SIGKILL): that cannot be caught or ignored. ${cost}`,
    )
  })
  it('is named by its input', () => {
    expect(
      evidence(
        verdict(
          pool({
            workers: [
              busy(3, {
                ...running,
                quietMs: 20_000,
                task: task(3, { runningMs: 31_000 }),
                wait: wait('pipe-read', { descriptor: 0, target: 'pipe:[7]' }),
              }),
            ],
          }),
          'no-progress',
        ),
      ),
    ).toContain('waits for: reading from stdin, pipe:[7]')
  })
})

describe('a worker that does not get to its first task', () => {
  const starting = worker(3, { phase: 'starting', ageMs: 31_000, quietMs: 15_000, wait: lockWait() })
  const locks = { tasks: 'free' as const, results: 'free' as const }
  it('is told once it is over the threshold', () => {
    const found = verdict(pool({ locks, workers: [starting] }), 'no-progress')
    expect(found).toMatchObject({
      stuck: true,
      confidence: 'likely',
      worker: 'ForkPoolWorker-3',
      task: null,
      summary:
        'ForkPoolWorker-3 (pid 4713) of train.py:42 has not asked for its first task, and has used no CPU for 15 s.',
    })
  })
  it.each([
    ['it is not that old', {}, [{ ...starting, ageMs: 29_000 }]],
    ['it works on its start', {}, [{ ...starting, quietMs: 1000 }]],
    ['nobody waits for the pool', { jobs: [] }, [starting]],
    ['others do the work', {}, [starting, busy(1)]],
    ['the pool is ending', { state: 'terminate' as const }, [starting]],
  ])('is fine when %s', (_, facts, workers) => {
    expect(codes(pool({ locks, workers, ...facts }))).toEqual([])
  })
})
