import { describe, expect, it } from 'vitest'
import { busy, codes, dead, evidence, job, killed, pool, reader, task, verdict, worker } from './facts'

const live = [reader(1), worker(2)]

describe('a task whose worker has ended', () => {
  it('is lost, and said so in words that a newcomer understands', () => {
    const lost = verdict(
      pool({ workers: [...live, dead(7, {}, { name: 'ForkPoolWorker-3', pid: 4711 })] }),
      'lost-task',
    )
    expect(lost).toMatchObject({
      summary:
        'train.py:42 will wait for ever: task 7 run(7) was lost when ForkPoolWorker-3 (pid 4711) exited with ' +
        'code 1 after 2.1 s; 11 of 12 results arrived.',
      advice: 'Rescue: fail the task (map() raises WorkerLost) or run it again.',
      confidence: 'certain',
      stuck: true,
      worker: 'ForkPoolWorker-3',
      pid: 4711,
      task: '7',
      rescue: [{ kind: 'task', worker: 'ForkPoolWorker-3', pid: 4711, task: '7', label: 'run(7)', retriable: true }],
    })
    expect(evidence(lost)).toContain('exit of ForkPoolWorker-3 (pid 4711): exit 1')
    expect(evidence(lost)).toContain('our kill ledger: no signal from us')
    expect(evidence(lost)).toContain('it was running task 7 run(7) when it ended')
    expect(evidence(lost)).toContain('map(run, 12 items): 1 not answered')
    expect(evidence(lost)).toContain('waits in: train.py:42 (<module>), in Pool.map')
  })

  it.each([
    [0, null],
    [3, null],
    [null, 'SIGSEGV'],
    [null, 'SIGKILL'],
  ] as const)('is lost by exit code %s and signal %s alike', (exitCode, signal) => {
    expect(codes(pool({ workers: [...live, dead(3, { exitCode, signal })] }))).toEqual(['lost-task'])
  })

  it('is lost while others still work', () => {
    expect(codes(pool({ queued: 4, jobs: [job({ left: 6 })], workers: [busy(1), busy(2), dead(3)] }))).toEqual([
      'lost-task',
    ])
  })

  it('is lost in a pool that was closed', () => {
    expect(codes(pool({ state: 'close', workers: [...live, dead(3)] }))).toEqual(['lost-task'])
  })

  it('names our own kill', () => {
    const endedByUs = { askedBy: 'user', reason: 'Kill Worker' }
    const lost = verdict(pool({ workers: [...live, dead(3, { ...killed, endedByUs, oomKills: 1 })] }), 'lost-task')
    expect(lost.summary).toContain('was ended by SIGKILL after 2.1 s (by us: Kill Worker, asked by user)')
    expect(evidence(lost)).toContain('ended by us: Kill Worker (asked by user)')
  })

  it('counts the items of a chunk, and does not offer to run again what was not kept', () => {
    const lost = verdict(
      pool({
        jobs: [job({ left: 4 })],
        workers: [...live, dead(3, {}, { task: task(1, { items: 4, retriable: false }) })],
      }),
      'lost-task',
    )
    expect(lost.summary).toContain('8 of 12 results arrived')
    expect(evidence(lost)).toContain('(4 items)')
    expect(lost.advice).toBe('Rescue: fail the task (map() raises WorkerLost).')
  })

  it('counts nothing while an imap has not named all of its items', () => {
    const lost = verdict(
      pool({ jobs: [job({ call: 'imap', total: null, left: null })], workers: [...live, dead(3)] }),
      'lost-task',
    )
    expect(lost.summary).toMatch(/after 2\.1 s\.$/)
    expect(evidence(lost)).toContain('imap(run): not all answered')
  })

  it('does not say the same twice where a task has no name', () => {
    expect(
      verdict(pool({ workers: [...live, dead(3, {}, { task: task(3, { label: 'task 3' }) })] }), 'lost-task').summary,
    ).toContain(': task 3 was lost')
  })

  it('says less when the program does not wait at the moment', () => {
    expect(verdict(pool({ parent: { waitsIn: null }, workers: [...live, dead(3)] }), 'lost-task').summary).toMatch(
      /^train\.py:42 waits in vain for a result: task 3/,
    )
  })

  it('is only likely, and cannot be rescued, while the program does not answer', () => {
    const lost = verdict(
      pool({
        parent: { answers: false },
        workers: [...live, dead(3, { agoMs: 3000 }, { task: task(3, { awaited: null }) })],
      }),
      'lost-task',
    )
    expect(lost).toMatchObject({ confidence: 'likely', rescue: [], stuck: true })
    expect(lost.advice).toContain('does not answer')
  })
  it('is known, too, of a program that stands in C code since before it ended, and has not collected it', () => {
    expect(
      codes(
        pool({
          parent: { answers: false },
          workers: [
            ...live,
            dead(3, { agoMs: 1500, answeredAfterMs: -800, uncollected: true }, { task: task(3, { awaited: null }) }),
          ],
        }),
      ),
    ).toEqual(['lost-task'])
  })
  it.each([
    ['a second ago', { agoMs: 1000, answeredAfterMs: -100, uncollected: true }],
    [
      'by SIGTERM, however long ago',
      { agoMs: 60_000, answeredAfterMs: -100, exitCode: null, signal: 'SIGTERM' as const, uncollected: true },
    ],
    // terminated_handlers(): it cleaned up at SIGTERM and exited with 0, and the program has all its results.
    ['and has been collected since', { agoMs: 1981, answeredAfterMs: -300, exitCode: 0 }],
  ])('may have been ended by its own pool while the program does not answer: %s', (_, exit) => {
    expect(
      codes(
        pool({ parent: { answers: false }, workers: [...live, dead(3, exit, { task: task(3, { awaited: null }) })] }),
      ),
    ).toEqual([])
  })
})

describe('many lost tasks', () => {
  const lost = (count: number): ReturnType<typeof dead>[] =>
    Array.from({ length: count }, (_, index) => dead(index + 3, index === 0 ? { ...killed, oomKills: 1 } : {}))
  it('are told one by one as long as that can be read', () => {
    expect(codes(pool({ workers: [...live, ...lost(5)] }))).toEqual([
      'lost-task',
      'lost-task',
      'lost-task',
      'lost-task',
      'lost-task',
      'oom-killed',
    ])
  })

  it('are told together beyond that, each with its own way out', () => {
    const together = verdict(
      pool({ jobs: [job({ total: 400, left: 30 })], workers: [...live, ...lost(30)] }),
      'lost-task',
    )
    expect(together).toMatchObject({
      summary:
        'train.py:42 will wait for ever: 30 tasks were lost with the workers that ran them (task 3 run(3), task ' +
        '4 run(4), task 5 run(5) and 27 more): 29 exited with code 1, 1 was ended by SIGKILL (out of memory: 1); ' +
        '370 of 400 results arrived.',
      worker: null,
      pid: null,
      task: null,
      confidence: 'certain',
      stuck: true,
    })
    expect(together.rescue).toHaveLength(30)
    expect(together.evidence.length).toBeLessThan(30)
  })

  it('are counted all together, also those that were too many for a list', () => {
    const facts = { jobs: [job({ total: 4000, left: 1510 })], unlistedLosses: 1500, workers: [...live, ...lost(10)] }
    const together = verdict(pool(facts), 'lost-task')
    expect(together.summary).toContain(
      '1510 tasks were lost with the workers that ran them (task 3 run(3), task 4 run(4), task 5 run(5) and 7 ' +
        'more): 9 exited with code 1, 1 was ended by SIGKILL, 1500 are only counted',
    )
    expect(evidence(together)).toContain('out of reach of a rescue: 1500')
    expect(together.rescue).toHaveLength(10)
    expect(verdict(pool({ ...facts, workers: [...live, ...lost(2)] }), 'lost-task').summary).toContain(
      '1502 tasks were lost',
    )
    expect(
      verdict(pool({ ...facts, library: 'billiard', workers: [...live, ...lost(10)] }), 'lost-task').summary,
    ).toContain(' 10 tasks were lost')
  })
})

describe('no task is lost', () => {
  it('when a worker was recycled (maxtasksperchild), or ended between tasks', () => {
    expect(codes(pool({ workers: [...live, dead(3, { exitCode: 0 }, { task: null })] }))).toEqual([])
  })

  it('when its call is answered already', () => {
    expect(codes(pool({ jobs: [], workers: [...live, dead(3, {}, { task: task(3, { awaited: false }) })] }))).toEqual(
      [],
    )
  })

  it('when a rescue has failed it or put it back', () => {
    expect(codes(pool({ queued: 1, workers: [busy(1), dead(3, {}, { task: task(3, { rescued: true }) })] }))).toEqual(
      [],
    )
  })

  it('when the newest answer is older than its end, or hardly younger: the pool may have ended it', () => {
    const interrupted = (answeredAfterMs: number, exit = {}): string[] =>
      codes(pool({ workers: [reader(1), dead(3, { ...exit, agoMs: 1500, answeredAfterMs })] }))
    expect([-20, 0, 299].map((after) => interrupted(after))).toEqual([[], [], []])
    expect(interrupted(300)).toEqual(['lost-task'])
    expect(interrupted(999, { exitCode: null, signal: 'SIGTERM' })).toEqual([])
    expect(interrupted(1500, { exitCode: null, signal: 'SIGTERM' })).toEqual(['lost-task'])
  })
  it.each(['terminate', 'broken', 'ended'] as const)('in a pool in state %s', (state) => {
    expect(codes(pool({ state, workers: [dead(3)] }))).toEqual([])
  })

  it('for the first moment, in which a program that ends its pool has not said so yet', () => {
    expect(codes(pool({ workers: [...live, dead(3, { agoMs: 299 })] }))).toEqual([])
    expect(codes(pool({ workers: [...live, dead(3, { agoMs: 300 })] }))).toEqual(['lost-task'])
    expect(codes(pool({ workers: [...live, dead(3, { exitCode: null, signal: 'SIGTERM', agoMs: 999 })] }))).toEqual([])
    expect(codes(pool({ workers: [...live, dead(3, { exitCode: null, signal: 'SIGTERM', agoMs: 1000 })] }))).toEqual([
      'lost-task',
    ])
  })

  it('in an executor, which fails everything when a worker dies, unless it has not noticed', () => {
    for (const library of ['concurrent.futures', 'loky'] as const) {
      expect(codes(pool({ library, state: 'broken', workers: [...live, dead(3)] }))).toEqual([])
      expect(codes(pool({ library, workers: [...live, dead(3, { agoMs: 1900 })] }))).toEqual([])
      expect(codes(pool({ library, workers: [...live, dead(3, { agoMs: 2100 })] }))).toEqual(['lost-task'])
    }
  })

  it('in billiard for ever: it fails the task itself after ten seconds', () => {
    const soon = verdict(pool({ library: 'billiard', workers: [...live, dead(3, { agoMs: 5000 })] }), 'lost-task')
    expect(soon).toMatchObject({ stuck: false })
    expect(soon.summary).not.toContain('for ever')
    expect(soon.advice).toContain('billiard fails the task itself')
    expect(
      verdict(pool({ library: 'billiard', workers: [...live, dead(3, { agoMs: 13_000 })] }), 'lost-task').stuck,
    ).toBe(true)
  })

  it('when a plain Process has ended', () => {
    expect(codes(pool({ library: 'processes', jobs: [], workers: [dead(3, {}, { task: null })] }))).toEqual([])
  })
})

describe('a worker that ended while it sent its result', () => {
  const sending = dead(3, {}, { task: task(3, { sending: true }) })
  it('has lost it when nothing else is left that the call could wait for', () => {
    expect(verdict(pool({ workers: [...live, sending] }), 'lost-task')).toMatchObject({
      confidence: 'likely',
      worker: 'ForkPoolWorker-3',
      task: '3',
    })
  })

  it.each([
    ['others work', { workers: [busy(1), worker(2), sending] }],
    ['tasks are in the pipe', { queued: 1, taskPipeBytes: 40, workers: [...live, sending] }],
    ['the result may be in the pipe', { resultPipeBytes: 200, workers: [...live, sending] }],
    ['something moved a moment ago', { workers: [reader(1, { quietMs: 1900 }), sending] }],
    ['the program was busy a moment ago', { parent: { quietMs: 1900 }, workers: [...live, sending] }],
    ['the program does not answer', { parent: { answers: false }, workers: [...live, sending] }],
    ['the size of the pipe is unknown', { resultPipeBytes: null, workers: [...live, sending] }],
  ])('may have delivered it: %s', (_, facts) => {
    expect(codes(pool(facts))).toEqual([])
  })
})
