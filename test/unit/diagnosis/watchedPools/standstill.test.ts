import { describe, expect, it } from 'vitest'
import { codes, dead, evidence, frame, killed, lockWait, ownLockWait, pool, verdict, wait, worker } from './facts'

const lib = '/usr/lib/python3.11/multiprocessing'
const takesLock = [
  frame(`${lib}/synchronize.py`, '__enter__', 95),
  frame('/w/train.py', 'take', 12),
  frame(`${lib}/process.py`, 'run', 108),
  frame(`${lib}/process.py`, '_bootstrap', 314),
  frame(`${lib}/queues.py`, 'get', 103),
]
const inEvent = [
  frame(`${lib}/synchronize.py`, 'Condition.wait'),
  frame(`${lib}/synchronize.py`, 'Event.wait'),
  frame('/w/train.py', 'listen', 20),
]
const inBarrier = [
  frame(`${lib}/synchronize.py`, 'wait'),
  frame(`${lib}/synchronize.py`, 'wait_for'),
  frame('/usr/lib/python3.11/threading.py', '_wait'),
  frame('/w/train.py', 'meet', 30),
]
const inQueue = [
  frame(`${lib}/connection.py`, '_recv'),
  frame(`${lib}/queues.py`, 'get'),
  frame('/w/train.py', 'consume', 40),
]
const pipe = wait('pipe-read', { descriptor: 3, target: 'pipe:[7]' })

/** `Process-<number>`, which has waited for a lock for three seconds. */
function still(number: number, facts: Parameters<typeof worker>[1] = {}): ReturnType<typeof worker> {
  return worker(number, {
    name: `Process-${number}`,
    phase: 'unknown',
    standsStillMs: 3000,
    wait: lockWait(),
    stack: takesLock,
    ...facts,
  })
}

/** A program that joins its processes. */
function program(
  workers: readonly ReturnType<typeof worker>[],
  parent: Parameters<typeof pool>[0] = {},
): ReturnType<typeof pool> {
  const { parent: facts, ...rest } = parent
  return pool({
    pool: 'train.py',
    library: 'processes',
    startMethod: null,
    threads: null,
    jobs: [],
    queued: null,
    workers,
    ...rest,
    parent: {
      waitsIn: 'train.py:50 (<module>), in Process.join',
      wait: wait('child', { wchan: 'do_wait' }),
      standsStillMs: 3000,
      ...facts,
    },
  })
}

describe('a program whose processes all wait for one another', () => {
  it('will wait for ever, and each is told with what it waits for', () => {
    const found = verdict(program([still(1), still(2)]), 'self-wait')
    expect(found).toMatchObject({ stuck: true, confidence: 'likely', worker: null, pid: null })
    expect(found.summary).toBe(
      'train.py will wait for ever in train.py:50 (<module>), in Process.join: 2 processes that it started wait ' +
        'as well (Process-1 (pid 4711) for a lock in take (train.py:12), Process-2 (pid 4712) for a lock in take ' +
        '(train.py:12)).',
    )
    expect(evidence(found)).toContain(
      'the program (pid 4700) waits: in train.py:50 (<module>), in Process.join, for a child process (do_wait)',
    )
    expect(evidence(found)).toContain('stack, innermost first: synchronize.py:95 __enter__, train.py:12 take')
    expect(found.advice).toContain('in the same order everywhere')
  })
  it.each([
    ['an event', {}, inEvent, 'sets or notifies'],
    ['a barrier', {}, inBarrier, 'as many processes'],
    ['something in a queue', { wait: pipe }, inQueue, 'Put an end mark'],
    ['room in a queue', {}, [frame(`${lib}/queues.py`, 'put')], 'time limit'],
    ['task_done() for everything in a queue', {}, [frame(`${lib}/queues.py`, 'join')], 'time limit'],
    ['a message in a pipe', { wait: pipe }, [frame(`${lib}/connection.py`, '_recv')], 'writing end'],
    ['a condition', {}, [frame(`${lib}/synchronize.py`, 'wait')], 'sets or notifies'],
    ['a lock of its own', { wait: ownLockWait() }, [frame('/w/train.py', 'take')], 'time limit'],
    ['the end of a process', { wait: wait('child') }, [frame(`${lib}/process.py`, 'join')], 'time limit'],
  ])('may wait for %s', (what, of, stack, advice) => {
    const found = verdict(program([still(1, { ...of, stack })]), 'self-wait')
    expect(found.summary).toContain(`1 process that it started waits as well (Process-1 (pid 4711) for ${what}`)
    expect(found.advice).toContain(advice)
  })
  it('names who has ended, and how', () => {
    const gone = dead(2, { ...killed, agoMs: 60_000 }, { name: 'Process-2', task: null })
    const found = verdict(program([still(1), gone]), 'self-wait')
    expect(found.summary).toMatch(/, and Process-2 \(pid 4712\) was ended by SIGKILL\.$/)
    expect(evidence(found)).toContain('exit of Process-2 (pid 4712): was ended by SIGKILL, 1 min ago')
    expect(found.advice).toMatch(/^Find out what ended Process-2: a lock stays taken for ever/)
    expect(
      verdict(program([still(1, { stack: inEvent }), dead(2, {}, { name: 'Process-2', task: null })]), 'self-wait')
        .advice,
    ).toMatch(/^Look for the traceback of Process-2/)
  })
  it('may have nobody left at all', () => {
    const parent = { waitsIn: 'train.py:50 (<module>), in Queue.get', wait: pipe }
    expect(verdict(program([], { parent }), 'self-wait').summary).toBe(
      'train.py will wait for ever in train.py:50 (<module>), in Queue.get: no other process of it is left that ' +
        'could end that.',
    )
    expect(
      verdict(
        program([], { parent: { waitsIn: 'train.py:50 (<module>), in JoinableQueue.join', wait: lockWait() } }),
        'self-wait',
      ).advice,
    ).toMatch(/^Call task_done\(\)/)
    // An unknown child.
    expect(codes(program([]))).toEqual([])
  })
  it(
    'is given the whole threshold where no function of multiprocessing is seen to wait: a semaphore could be ' +
      "another program's",
    () => {
      const bare = { stack: [frame('/w/train.py', 'take')] }
      expect(codes(program([still(1, bare)]))).toEqual([])
      expect(
        codes(
          program([still(1, { ...bare, standsStillMs: 30_000, quietMs: 30_000 })], {
            parent: { standsStillMs: 30_000, quietMs: 30_000 },
          }),
        ),
      ).toEqual(['self-wait'])
    },
  )
  it('is what one explains that was forked while a lock was held', () => {
    const forked = still(1, { wait: ownLockWait(), forked: true, parentThreadsAtStart: 2, quietMs: 3000 })
    expect(codes(program([forked]))).toEqual(['fork-with-threads'])
    expect(verdict(program([forked]), 'fork-with-threads').summary).toBe(
      'Process-1 (pid 4711) of train.py will wait for ever: it was forked while the program had 1 other thread, ' +
        'and waits for a lock that nobody in it can release.',
    )
    expect(codes(program([{ ...forked, forked: false }]))).toEqual(['self-wait'])
  })
  it.each([
    ['one of them moves', [still(1), still(2, { standsStillMs: 0 })], {}],
    ['one has waited for less than two seconds', [still(1), still(2, { standsStillMs: 1900 })], {}],
    ['one has used CPU time', [still(1), still(2, { quietMs: 1900 })], {}],
    ['one waits with a time limit', [still(1, { wait: { ...lockWait(), timed: true } })], {}],
    ['one sleeps', [still(1, { wait: wait('sleep') })], {}],
    ['one waits for a connection', [still(1, { wait: wait('socket-read') })], {}],
    ['one waits for input or a timer', [still(1, { wait: wait('poll') })], {}],
    [
      "one reads a pipe that is not known to be the program's",
      [still(1, { wait: pipe, stack: [frame('/w/train.py', 'read')] })],
      {},
    ],
    [
      'one only was in a queue when it was forked',
      [still(1, { wait: pipe, stack: [frame('/w/train.py', 'read'), ...takesLock.slice(3)] })],
      {},
    ],
    [
      'one waits for a command',
      [still(1, { wait: wait('child'), stack: [frame('/usr/lib/python3.11/subprocess.py', 'wait')] })],
      {},
    ],
    ['one is stopped', [still(1, { state: 'running' })], {}],
    ['nobody knows where one waits', [still(1, { wait: null })], {}],
    ['the program moves, or has pools', [still(1)], { parent: { standsStillMs: 0 } }],
    ['the program does not answer', [still(1)], { parent: { answers: false } }],
    ['the program waits for something else', [still(1)], { parent: { waitsIn: null } }],
    ['the program gives up by itself', [still(1)], { parent: { wait: wait('poll') } }],
    ['the program reads its input', [still(1)], { parent: { wait: wait('pipe-read', { descriptor: 0 }) } }],
    ['nobody watches it', [still(1)], { library: 'unknown' as const }],
  ])('is fine when %s', (_, workers, parent) => {
    expect(codes(program(workers, parent))).toEqual([])
  })
})
