import { describe, expect, it } from 'vitest'
import { busy, codes, dead, evidence, job, pool, reader, task, verdict, worker } from './facts'

describe('a result that nobody works on', () => {
  const idle = { workers: [reader(1), worker(2)] }
  it('is missing when nothing is queued, nothing is in the pipes and nothing has moved for a while', () => {
    const lost = verdict(pool(idle), 'lost-task')
    expect(lost).toMatchObject({ confidence: 'likely', stuck: true, worker: null, task: null, rescue: [] })
    expect(lost.summary).toContain(
      'train.py:42 waits for 1 result that nobody works on: all 2 workers wait for a task, and none is on its ' +
        'way; 11 of 12 results arrived.',
    )
    expect(evidence(lost)).toContain('no change and no CPU time for 10 s')
    expect(
      evidence(verdict(pool({ workers: [...idle.workers, dead(3, { agoMs: 6000 }, { task: null })] }), 'lost-task')),
    ).toContain('last exits: ForkPoolWorker-3 (pid 4713) exited with code 1 6.0 s ago')
  })

  it.each([
    ['a worker moved within five seconds', { workers: [reader(1, { quietMs: 4900 })] }],
    ['the program moved', { ...idle, parent: { quietMs: 4900 } }],
    [
      'a result has just been taken out of the pipe: nobody needs 20 ms of CPU for that',
      { ...idle, unchangedMs: 4900 },
    ],
    [
      'a callback holds up what has come',
      { ...idle, callback: { at: 'train.py:20 (save)', waitsForOwnPool: false, quietMs: 7000 } },
    ],
    ['the program does not answer, so that its pool may be elsewhere by now', { ...idle, parent: { answers: false } }],
    ['somebody works', { workers: [reader(1), busy(2)] }],
    ['a worker is being started', { workers: [worker(1, { phase: 'starting' })] }],
    ['a worker has just ended', { workers: [...idle.workers, dead(3, {}, { task: null })] }],
    ['a task is queued, and nobody was seen to wait for it', { workers: [worker(1, { wait: null })], queued: 1 }],
    [
      'an imap has not named all of its items',
      { ...idle, jobs: [job(), job({ job: 1, call: 'imap', total: null, left: null })] },
    ],
    ['a task is in the pipe', { ...idle, taskPipeBytes: 50 }],
    ['a result is in the pipe, because its consumer is slow', { ...idle, resultPipeBytes: 65_536 }],
    ['nobody waits: the pool idles', { ...idle, jobs: [] }],
    ['only an imap waits, whose iterator may be slow', { ...idle, jobs: [job({ call: 'imap_unordered' })] }],
    ['nothing is known of the pipes', { ...idle, taskPipeBytes: null }],
    ['the pool is in an executor, which would have broken', { ...idle, library: 'concurrent.futures' as const }],
    ['the pool was terminated', { ...idle, state: 'terminate' as const }],
  ])('is not missing when %s', (_, facts) => {
    expect(codes(pool(facts))).toEqual([])
  })

  it('may be that of a task whose function nobody knows, as no worker has taken it', () => {
    expect(
      evidence(verdict(pool({ ...idle, jobs: [job({ call: 'apply', function: '', total: 1 })] }), 'lost-task')),
    ).toContain('apply(1 item): 1 not answered')
  })

  it('is missing although it counts as queued, when the queue is empty and a worker waits for more', () => {
    expect(codes(pool({ ...idle, queued: 1 }))).toEqual(['lost-task'])
  })

  it('is not said when the dead worker is known, a lock is orphaned, a thread has ended or a worker is stopped', () => {
    expect(verdict(pool({ workers: [...idle.workers, dead(3)] }), 'lost-task').worker).toBe('ForkPoolWorker-3')
    expect(codes(pool({ workers: [worker(1), worker(2)] }))).toEqual(['orphaned-queue-lock'])
    expect(codes(pool({ ...idle, threads: { workers: true, tasks: true, results: false } }))).toEqual([
      'result-thread-dead',
    ])
    expect(codes(pool({ workers: [reader(1, { state: 'stopped' }), worker(2)] }))).toEqual(['stopped'])
    expect(codes(pool({ workers: [reader(1, { unpicklableResults: 1 }), worker(2)] }))).toEqual([
      'unserializable-result',
    ])
    expect(codes(pool({ workers: [...idle.workers, dead(3, {}, { task: task(3, { sending: true }) })] }))).toEqual([
      'lost-task',
    ])
  })
})
