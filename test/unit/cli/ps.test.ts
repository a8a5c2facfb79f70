import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { plainPalette, paletteFor } from '../../../src/cli/output/palette'
import { psJson } from '../../../src/cli/ps/json'
import { psText } from '../../../src/cli/ps/text'
import { counts, lostTask, noProgress, pool, programPool, slow, task, watchedPool, worker } from './snapshotBuilders'

/** In the snapshot, and not in the JSON. */
const messages = { summary: 'It has not moved.', evidence: [], advice: '' }
const stuckPool = pool({
  counts: counts({ done: 10, running: 2, stuck: 1 }),
  exitedWorkerCount: 1,
  workers: [
    worker({ status: 'busy', task: task({ stuck: true, verdict: { ...noProgress, messages } }) }),
    worker({
      name: 'PoolWorker-12',
      pid: 421_234,
      status: 'busy',
      cpuPercent: 99.6,
      task: task({ id: 'task-2', label: 'crawl(blog)', verdict: slow }),
    }),
    worker({
      name: 'PoolWorker-3',
      pid: 4213,
      status: 'exited',
      signal: 'SIGKILL',
      cpuPercent: null,
      memoryBytes: null,
      task: task({ id: 'task-3', label: 'crawl(docs)', state: 'lost' }),
    }),
  ],
})

describe('ps --json', () => {
  it('has exactly the documented keys', () => {
    const { pools } = psJson([stuckPool])
    expect(Object.keys(pools[0]!)).toEqual([
      'id',
      'name',
      'kind',
      'programId',
      'state',
      'workers',
      'counts',
      'verdicts',
    ])
    expect(Object.keys(pools[0]!.workers[0]!)).toEqual([
      'name',
      'pid',
      'status',
      'exitCode',
      'signal',
      'cpuPercent',
      'memoryBytes',
      'task',
    ])
    expect(Object.keys(pools[0]!.workers[0]!.task!)).toEqual(['id', 'label', 'elapsedMs', 'stuck', 'verdict'])
    expect(pools[0]!.workers[0]!.task!.verdict).toEqual(noProgress)
    expect(Object.keys(pools[0]!.workers[0]!.task!.verdict!)).toEqual([
      'code',
      'summary',
      'evidence',
      'advice',
      'confidence',
    ])
    expect(pools[0]!.counts).toEqual(counts({ done: 10, running: 2, stuck: 1 }))
  })
  it('has null for the task of an idle worker', () => {
    expect(psJson([pool()]).pools[0]!.workers[0]!.task).toBeNull()
  })
  it('says orphaned as the state of a pool whose host died', () => {
    expect(psJson([pool({ orphaned: true })]).pools[0]!.state).toBe('orphaned')
  })
  it('says ended of an orphaned pool once it has', () => {
    expect(psJson([pool({ orphaned: true, state: 'ended' })]).pools[0]!.state).toBe('ended')
  })
})

describe('ps as text', () => {
  it('says so when there are no pools', () => {
    expect(psText([])).toBe('no pools')
  })
  it('reads without colours', () => {
    expect(psText([stuckPool]).split('\n')).toEqual([
      'Stuck  pool-3fa9c1  run  10 of 12 done, 2 running, 1 stuck',
      '  WORKER            PID  STATUS    CPU  MEMORY   FOR  TASK',
      '  PoolWorker-1     4211  busy      0 %   41 MB  12 s  crawl(login)  stuck: no-progress',
      '  PoolWorker-12  421234  busy    100 %   41 MB  12 s  crawl(blog)  slow',
      '  1 exited worker: 1 × exit -9 (SIGKILL)',
      '  PoolWorker-1: It has used no CPU and printed nothing for 9 s.',
      '    CPU time since 9 s: 0 ms; output since: none',
      '    Look at what it waits for.',
      '  PoolWorker-12: It works at 100 % CPU.',
      '    Wait, or end it.',
    ])
  })
  it('lists each exited worker with what it took along when asked for all', () => {
    expect(psText([stuckPool], { all: true })).toMatch(/PoolWorker-3 .*exit -9 \(SIGKILL\).*crawl\(docs\) lost/)
  })
  it('says how many exited workers it does not know any more', () => {
    expect(psText([pool({ workers: [worker({ status: 'exited', exitCode: 0 })], exitedWorkerCount: 500 })])).toContain(
      '500 exited workers (the last 1: 1 × exit 0)',
    )
  })
  it('counts the pools that have ended, and shows them when asked for all', () => {
    const ended = pool({ name: 'Old', state: 'ended', workers: [] })
    expect(psText([ended])).toBe('no pools run; 1 pool ended before (unhang ps --all)')
    expect(psText([ended, pool()]).split('\n').at(-1)).toBe('1 pool ended before (unhang ps --all)')
    expect(psText([ended], { all: true })).toContain('Old  pool-3fa9c1  ended')
  })
  it('tells programs that have ended from pools', () => {
    const ended = [
      programPool({ state: 'ended' }),
      programPool({ id: 'program-2', state: 'ended' }),
      watchedPool({ state: 'ended', verdicts: [] }),
    ]
    expect(psText(ended)).toBe('no pools run; 2 programs and 1 pool ended before (unhang ps --all)')
  })
  it('says a verdict on a worker of a program once', () => {
    const stuck = lostTask({ ...noProgress, pid: 4712, task: '7', rescue: [] })
    const text = psText([
      programPool(),
      watchedPool({
        verdicts: [stuck],
        workers: [
          worker({
            name: 'ForkPoolWorker-1',
            pid: 4712,
            status: 'busy',
            task: task({ stuck: true, verdict: noProgress }),
          }),
        ],
      }),
    ])
    expect(text.split(noProgress.summary)).toHaveLength(2)
  })
  it('shows orphans, failures and issues in words', () => {
    const text = psText([
      pool({ orphaned: true, failure: 'it died on start', issues: ['worker still alive: PoolWorker-1, pid=4211'] }),
    ])
    expect(text).toContain('Stuck  pool-3fa9c1  orphaned  left behind by a host that died')
    expect(text).toContain('failed: it died on start')
    expect(text).toContain('issue: worker still alive: PoolWorker-1, pid=4211')
  })
  it('leaves a worker without a process yet without a pid', () => {
    expect(psText([pool({ workers: [worker({ pid: -1, status: 'starting' })] })])).toMatch(/PoolWorker-1 +starting/)
  })
})

describe('ps of programs', () => {
  it('nests the pools of a program below it and says what is wrong with them', () => {
    expect(psText([watchedPool(), pool({ workers: [] }), programPool()]).split('\n')).toEqual([
      'Stuck  pool-3fa9c1  run  0 of 0 done',
      '',
      'train.py  program-1  run  pid 4700, python 3.11.7, 1 pool',
      '  train.py:42  watched-1  run  0 of 0 done',
      '    WORKER             PID  STATUS  CPU  MEMORY  FOR  TASK',
      '    ForkPoolWorker-1  4712  idle    0 %   41 MB',
      '    stuck (lost-task): train.py:42 will wait for ever: task 7 run(7) was lost.',
    ])
  })
  it('shows a pool by itself when its program is not shown', () => {
    expect(psText([watchedPool()])).toMatch(/^train\.py:42 {2}watched-1/)
  })
  it('says how the program ended, and that one was only looked at', () => {
    expect(psText([programPool({ state: 'ended' }, { exitCode: 3 })], { all: true })).toContain(
      'pid 4700, python 3.11.7, exit 3',
    )
    expect(psText([programPool({}, { readOnly: true, observer: 'none' })])).toContain('attached, read-only')
  })
  it('says why nothing is seen inside it', () => {
    expect(psText([programPool({}, { observer: 'waiting', python: null })])).toContain('has made no pool yet')
    expect(psText([programPool({}, { observer: 'failed', message: 'no room in /tmp' })])).toContain(
      'not observed: no room in /tmp',
    )
  })
  it('stays a list when a thousand tasks are lost', () => {
    const lost = Array.from({ length: 1000 }, (_, task) => lostTask({ task: String(task) }))
    expect(psText([watchedPool({ verdicts: lost })])).toContain('… and 995 more (unhang why)')
  })
  it('is flat in JSON', () => {
    const { pools } = psJson([programPool(), watchedPool()])
    expect(pools.map(({ id, programId }) => [id, programId])).toEqual([
      ['program-1', null],
      ['watched-1', 'program-1'],
    ])
    expect(pools[1]!.verdicts[0]).toMatchObject({ code: 'lost-task', stuck: true, task: '7' })
  })
})

describe('colours', () => {
  it('are for terminals only', () => {
    expect(paletteFor({ isTTY: false }, {})).toBe(plainPalette)
  })
  it('are off with NO_COLOR', () => {
    expect(paletteFor({ isTTY: true }, { NO_COLOR: '1' })).toBe(plainPalette)
  })
  it('are off in a dumb terminal', () => {
    expect(paletteFor({ isTTY: true }, { TERM: 'dumb' })).toBe(plainPalette)
  })
  it('do not change the words or the columns', () => {
    const coloured = psText([stuckPool], { palette: paletteFor({ isTTY: true }, {}) })
    expect(coloured).toContain('\x1b[')
    expect(stripVTControlCharacters(coloured)).toBe(psText([stuckPool]))
  })
})
