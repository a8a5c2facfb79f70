import { describe, expect, it } from 'vitest'
import { busy, codes, dead, evidence, job, killed, pool, reader, task, verdict, worker } from './facts'

describe('a worker that the kernel killed for want of memory', () => {
  const oom = dead(3, { ...killed, oomKills: 1 })
  it('is told apart from the lost task, which says so as well', () => {
    const facts = pool({ workers: [reader(1), busy(2), oom] })
    expect(codes(facts)).toEqual(['lost-task', 'oom-killed'])
    expect(verdict(facts, 'oom-killed')).toMatchObject({
      summary:
        'ForkPoolWorker-3 (pid 4713) of train.py:42 ran out of memory during task 3 run(3): the kernel ended ' +
        'it after 9.0 s.',
      confidence: 'likely',
      stuck: false,
      task: '3',
    })
    expect(evidence(verdict(facts, 'oom-killed'))).toContain('OOM kills by the kernel while it ran: 1')
    expect(verdict(facts, 'lost-task').summary).toContain(
      'was ended by SIGKILL after 2.1 s (out of memory: the kernel ended it); 11 of 12',
    )
    expect(verdict(facts, 'lost-task').advice).toContain('fewer workers')
  })
  it('explains a broken executor', () => {
    expect(codes(pool({ library: 'concurrent.futures', state: 'broken', workers: [oom] }))).toEqual(['oom-killed'])
  })
  it.each([
    ['the kernel counted none', { oomKills: 0 }],
    ['nobody can tell', { oomKills: null }],
    ['it was us', { endedByUs: { askedBy: 'user', reason: 'Kill Worker' } }],
    ['it was another signal', { signal: 'SIGSEGV' as const }],
    ['it exited with 137', { signal: null, exitCode: 137 }],
  ])('is not said when %s', (_, exit) => {
    expect(codes(pool({ workers: [busy(1), dead(3, { ...killed, oomKills: 2, ...exit }, { task: null })] }))).toEqual(
      [],
    )
  })
})

describe('a pool without workers', () => {
  const last = dead(3, { agoMs: 1000 }, { task: null })
  it('will wait for ever', () => {
    const none = verdict(
      pool({ queued: 4, workers: [last], threads: { workers: false, tasks: true, results: true } }),
      'no-live-workers',
    )
    expect(none).toMatchObject({
      summary: 'train.py:42 will wait for ever: it has no worker left, with 4 tasks queued.',
      confidence: 'certain',
      stuck: true,
      worker: null,
    })
    expect(evidence(none)).toContain('workers alive: 0 of 4')
    expect(evidence(none)).toContain('ForkPoolWorker-3 (pid 4713) exited with code 1 1.0 s ago')
    expect(evidence(none)).toContain('thread that replaces workers: ended')
  })
  it('waits although the thread that replaces workers lives, when nothing has moved', () => {
    expect(
      verdict(pool({ queued: 4, workers: [dead(3, { agoMs: 3000 }, { task: null })] }), 'no-live-workers').confidence,
    ).toBe('certain')
  })
  it('waits although its last exit is forgotten', () => {
    expect(verdict(pool({ queued: 4 }), 'no-live-workers').confidence).toBe('likely')
  })
  it('may have been made a moment ago, in a program that has been quiet for long', () => {
    expect(codes(pool({ queued: 1, poolAgeMs: 500 }))).toEqual([])
  })
  it.each([
    ['the last one ended this moment, and is replaced', { workers: [dead(3, { agoMs: 900 }, { task: null })] }],
    [
      'the thread that replaces it lives, in a program that has just worked',
      { workers: [dead(3, { agoMs: 5000 }, { task: null })], parent: { quietMs: 100 } },
    ],
    [
      'that thread lives, in a program that is too busy to answer',
      { workers: [dead(3, { agoMs: 5000 }, { task: null })], parent: { answers: false } },
    ],
    ['there is one', { workers: [last, busy(1)] }],
    // terminate(), between the answer, the exits and the sample: their exits are not known yet.
    [
      'they have just been ended, perhaps with their pool',
      {
        workers: [busy(1, { state: 'zombie', quietMs: 1836 }), busy(2, { state: 'zombie', quietMs: 199 })],
        parent: { quietMs: 4819 },
      },
    ],
    ['nothing is to be done', { jobs: [], queued: 0, workers: [last] }],
    ['the program is just starting them', { parent: { quietMs: 900 } }],
    ['it is in an executor that is about to notice', { library: 'concurrent.futures' as const, workers: [last] }],
    ['it was terminated', { state: 'terminate' as const, workers: [last] }],
    ['there is no pool', { library: 'processes' as const, workers: [last] }],
    ['it has workers that nobody saw start', { unseenWorkers: 2 }],
    [
      'its program is stopped',
      { parent: { state: 'stopped' as const, stoppedMs: 0, quietMs: 0 }, jobs: [], queued: 0 },
    ],
  ])('is fine when %s', (_, facts) => {
    expect(codes(pool({ queued: 4, ...facts }))).toEqual([])
  })
})

describe('a pool that starts workers which end at once', () => {
  const exits = (number: number, exit = 'exit 1'): string[] => Array.from({ length: number }, () => exit)
  it('is in a crash loop after five, and nothing else is said of its empty queue', () => {
    const facts = pool({ queued: 4, exitsBeforeReady: exits(5), workers: [dead(1, { agoMs: 1500 }, { task: null })] })
    expect(codes(facts)).toEqual(['crash-loop'])
    expect(verdict(facts, 'crash-loop')).toMatchObject({ confidence: 'certain', stuck: true, worker: null })
    expect(verdict(facts, 'crash-loop').advice).not.toContain('__main__')
    // A worker that imports the main file makes another pool.
    expect(verdict({ ...facts, startMethod: 'spawn' }, 'crash-loop').advice).toContain(
      'below "if __name__ == \'__main__\':"',
    )
    expect(verdict(facts, 'crash-loop').summary).toBe(
      'train.py:42 will wait for ever: at least 5 workers in a row ended before they asked for a task (exit 1), ' +
        'and it keeps starting new ones.',
    )
  })
  it.each([
    [
      ['exit 1'],
      new RegExp(
        "^Look for a traceback in the program's output: .* " +
          String.raw`Where there is none, look for sys\.exit\(\) or os\._exit\(\) there\.$`,
      ),
    ],
    [
      ['exit 0'],
      new RegExp(
        String.raw`^Exit code 0 leaves no traceback: look for sys\.exit\(\) or os\._exit\(\) in the initializer of ` +
          String.raw`the pool, or in what a worker imports\.$`,
      ),
    ],
    [['exit 0', 'exit 1'], /^Look for a traceback/],
    [['exit -11 (SIGSEGV)'], /A signal leaves none either: "python -X faulthandler" shows where it came\.$/],
  ])('is told where to look after %s', (how, advice) => {
    expect(
      verdict(pool({ queued: 4, exitsBeforeReady: how.flatMap((exit) => exits(5, exit)) }), 'crash-loop').advice,
    ).toMatch(advice)
  })
  it.each([
    ['there were four', { exitsBeforeReady: exits(4) }],
    ['a short-lived pool ended them by SIGTERM', { exitsBeforeReady: exits(8, 'exit -15 (SIGTERM)') }],
    ['the pool was terminated', { state: 'terminate' as const, exitsBeforeReady: exits(8) }],
    ['it is a program with processes of its own', { library: 'processes' as const, exitsBeforeReady: exits(8) }],
  ])('is in none when %s', (_, facts) => {
    expect(codes(pool({ workers: [worker(1, { phase: 'starting', quietMs: 0 })], ...facts }))).toEqual([])
  })
})

describe('a thread of the pool that has ended', () => {
  const results = { workers: true, tasks: true, results: false }
  const workers = [reader(1), worker(2)]
  it('leaves results unread', () => {
    const found = verdict(pool({ threads: results, resultPipeBytes: 400, workers }), 'result-thread-dead')
    expect(found).toMatchObject({
      confidence: 'certain',
      stuck: true,
      summary:
        'train.py:42 will wait for ever: its thread that receives the results (_handle_results) has ended, and 1 ' +
        'result is not there yet.',
    })
    expect(evidence(found)).toContain('results: ended, tasks: alive, workers: alive')
    expect(evidence(found)).toContain('400 bytes')
  })
  it('leaves a call without an answer whose results have all arrived, when its callback has raised', () => {
    const arrived = { threads: results, jobs: [job({ left: 0 })], workers }
    expect(verdict(pool(arrived), 'result-thread-dead')).toMatchObject({
      stuck: true,
      advice: expect.stringContaining('a callback or error_callback of yours') as unknown,
      summary:
        'train.py:42 will wait for ever: its thread that receives the results (_handle_results) has ended, and 1 ' +
        'call that has all results was not told.',
    })
    // The callback may run at this moment.
    expect(codes(pool({ ...arrived, parent: { quietMs: 900 } }))).toEqual([])
    expect(codes(pool({ ...arrived, threads: { ...results, results: true } }))).toEqual([])
  })
  it('is only likely while the program does not answer', () => {
    expect(
      verdict(pool({ threads: results, parent: { answers: false }, workers }), 'result-thread-dead').confidence,
    ).toBe('likely')
  })
  it('leaves tasks where they are', () => {
    expect(
      verdict(pool({ threads: { ...results, results: true, tasks: false }, queued: 3, workers }), 'result-thread-dead'),
    ).toMatchObject({ stuck: true, summary: expect.stringContaining('_handle_tasks') as unknown })
  })
  it('leaves dead workers without a successor, which is worth knowing', () => {
    expect(
      verdict(
        pool({ threads: { workers: false, tasks: true, results: true }, workers: [busy(1)] }),
        'result-thread-dead',
      ).stuck,
    ).toBe(false)
    expect(
      codes(
        pool({
          threads: { workers: false, tasks: true, results: true },
          queued: 1,
          workers: [dead(1, { agoMs: 5000 }, { task: null })],
        }),
      ),
    ).toEqual(['no-live-workers'])
  })
  it.each([
    ['nobody waits', { jobs: [] }],
    ['the pool was terminated', { state: 'terminate' as const }],
    [
      'it has handed out all tasks of a closed pool of billiard',
      {
        library: 'billiard' as const,
        state: 'close' as const,
        threads: { workers: null, tasks: false, results: true },
        queued: 2,
        taskPipeBytes: 24,
        workers: [busy(1), busy(2)],
      },
    ],
    ['the library has no such thread', { threads: { workers: null, tasks: null, results: null }, workers: [busy(1)] }],
    [
      'the pool is being taken down by its finalizer',
      { threads: { workers: false, tasks: false, results: false }, parent: { quietMs: 100 } },
    ],
  ])('means nothing when %s', (_, facts) => {
    expect(codes(pool({ threads: results, workers, ...facts }))).toEqual([])
  })
})

describe('results that cannot be pickled', () => {
  it('are told, since the caller got an error instead', () => {
    const found = verdict(pool({ workers: [busy(1, { unpicklableResults: 2 })] }), 'unserializable-result')
    expect(found).toMatchObject({
      stuck: false,
      confidence: 'certain',
      worker: 'ForkPoolWorker-1',
      summary:
        '2 results of ForkPoolWorker-1 (pid 4711) of train.py:42 could not be sent back: they cannot be pickled.',
    })
  })
  it('of many workers are one verdict', () => {
    expect(
      verdict(
        pool({ workers: [busy(1, { unpicklableResults: 1 }), busy(2, { unpicklableResults: 1 })] }),
        'unserializable-result',
      ),
    ).toMatchObject({ worker: null, summary: expect.stringContaining('2 results of 2 workers') as unknown })
  })
  it('keep the program waiting when not even the error came', () => {
    const facts = pool({ workers: [reader(1, { unpicklableResults: 1 }), worker(2)] })
    expect(codes(facts)).toEqual(['unserializable-result'])
    expect(verdict(facts, 'unserializable-result')).toMatchObject({ stuck: true, confidence: 'likely' })
    expect(
      verdict(
        pool({ workers: [reader(1, { unpicklableResults: 1, quietMs: 1900 }), worker(2)] }),
        'unserializable-result',
      ).stuck,
    ).toBe(false)
  })
})

describe('a zombie', () => {
  const uncollected = { agoMs: 2000, uncollected: true }
  const zombie = dead(3, uncollected, { task: null })
  it('is told, and is not stuck: an idle worker keeps nobody waiting', () => {
    const found = verdict(pool({ workers: [reader(1), zombie], jobs: [] }), 'zombie')
    expect(found).toMatchObject({
      confidence: 'certain',
      stuck: false,
      worker: 'ForkPoolWorker-3',
      pid: 4713,
      task: null,
      summary:
        'ForkPoolWorker-3 (pid 4713) of train.py:42 is dead (it exited with code 1) but was not collected by its ' +
        'program, so nobody replaces it.',
    })
    expect(evidence(found)).toContain('state of process 4713: Z (zombie)\nexit of ForkPoolWorker-3 (pid 4713): exit 1')
    expect(evidence(found)).toContain('the program (pid 4700): has not waited for it in 2.0 s')
  })
  it('explains a lost task, which is what is stuck', () => {
    const facts = pool({
      parent: { answers: false },
      workers: [reader(1), dead(3, uncollected, { task: task(3, { awaited: null }) })],
    })
    expect(codes(facts)).toEqual(['lost-task', 'zombie'])
    expect(verdict(facts, 'zombie')).toMatchObject({
      stuck: false,
      task: '3',
      advice: expect.stringContaining('keeps the GIL') as unknown,
    })
  })
  it('is told once with all others: a pool may have a thousand', () => {
    const workers = Array.from({ length: 1000 }, (_, index) => dead(index + 1, uncollected, { task: null }))
    const found = verdict(pool({ jobs: [], workers }), 'zombie')
    expect(found).toMatchObject({
      worker: null,
      pid: null,
      task: null,
      summary: expect.stringMatching(/^1000 workers of .* and 997 more\.$/) as unknown,
    })
  })
  it('that left in order is told when it is still there after a long time', () => {
    expect(
      codes(
        pool({
          jobs: [],
          workers: [reader(1), dead(3, { ...uncollected, exitCode: 0, agoMs: 30_000 }, { task: null })],
        }),
      ),
    ).toEqual(['zombie'])
  })
  it('counts in a closed pool that still has something to do', () => {
    expect(codes(pool({ state: 'close', workers: [reader(1), busy(2), zombie] }))).toEqual(['zombie'])
  })
  it.each([
    ['it ended a moment ago', { workers: [reader(1), dead(3, { ...uncollected, agoMs: 1900 }, { task: null })] }],
    ['it was collected', { workers: [reader(1), dead(3, { agoMs: 5000 }, { task: null })] }],
    [
      'it left in order, and the program is at work in C code for a while',
      {
        parent: { answers: false },
        workers: [reader(1), dead(3, { ...uncollected, exitCode: 0, agoMs: 29_000 }, { task: null })],
      },
    ],
    [
      'the program may be ending its pool',
      {
        parent: { answers: false },
        workers: [
          reader(1),
          dead(
            3,
            { ...uncollected, answeredAfterMs: -100, exitCode: null, signal: 'SIGTERM' as const },
            { task: null },
          ),
        ],
      },
    ],
    ['the pool was terminated', { state: 'terminate' as const, workers: [reader(1), zombie] }],
    ['the pool is closed and done, and nobody has joined it yet', { state: 'close' as const, workers: [zombie] }],
    [
      'the thread that would collect it has ended with the pool',
      { threads: { workers: false, tasks: false, results: true }, workers: [zombie] },
    ],
    [
      'it is a plain Process, to be collected at leisure',
      { library: 'processes' as const, parent: { quietMs: 90_000 }, workers: [zombie] },
    ],
  ])('is none when %s', (_, facts) => {
    expect(codes(pool({ jobs: [], ...facts }))).toEqual([])
  })
  it('is explained by a stopped parent', () => {
    expect(
      codes(
        pool({ parent: { state: 'stopped', stoppedMs: 500, answers: false }, workers: [reader(1), zombie], jobs: [] }),
      ),
    ).toEqual(['stopped'])
  })
})

describe('a program that has ended', () => {
  it('has no pools to talk about', () => {
    expect(
      codes(pool({ parent: { state: 'zombie' }, jobs: [job()], workers: [dead(3, {}, { task: task(3) })] })),
    ).toEqual([])
  })
})
