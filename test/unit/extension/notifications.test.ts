import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PlacedWorker } from '../../../src/extension/model/poolCatalog'
import { Burst } from '../../../src/extension/notify/burst'
import { issuesMessage } from '../../../src/extension/notify/issuesMessage'
import { orphansMessage } from '../../../src/extension/notify/orphansMessage'
import { shutdownLogLine } from '../../../src/extension/notify/shutdownLogLine'
import { stuckMessage } from '../../../src/extension/notify/stuckMessage'
import { stuckTaskMemory, stuckTasks } from '../../../src/extension/notify/stuckTasks'
import type { ShutdownReportWire } from '../../../src/protocol'
import { noProgress, poolHeader, task, worker } from './samples'

function stuck(taskId: string, { poolId = 'pool-1', poolName = 'Crawl', name = 'PoolWorker-2' } = {}): PlacedWorker {
  const snapshot = worker({
    name,
    status: 'busy',
    task: task({ id: taskId, label: `crawl(${taskId})`, stuck: true, verdict: noProgress }),
  })
  return {
    pool: { header: poolHeader({ id: poolId, name: poolName }), workers: new Map([[name, snapshot]]) },
    worker: snapshot,
  }
}
const ids = new Set(['pool-1'])

describe('News of stuck tasks', () => {
  const of = (...taskIds: string[]) => stuckTasks(taskIds.map((id) => stuck(id)))

  test('announce a task once', () => {
    const memory = stuckTaskMemory()
    memory.update([], ids)
    expect(memory.update(of('a'), ids).map(({ taskId }) => taskId)).toEqual(['a'])
    expect(memory.update(of('a'), ids)).toEqual([])
  })

  test('do not announce what was stuck before anybody looked', () => {
    const memory = stuckTaskMemory()
    expect(memory.update(of('a'), ids)).toEqual([])
    expect(memory.update(of('a', 'b'), ids).map(({ taskId }) => taskId)).toEqual(['b'])
  })

  test('do not announce what a dead host left behind', () => {
    const orphan = stuck('a')
    expect(
      stuckTasks([{ ...orphan, pool: { ...orphan.pool, header: { ...orphan.pool.header, orphaned: true } } }]),
    ).toEqual([])
  })

  test('announce a task again that got going and got stuck again', () => {
    const memory = stuckTaskMemory()
    memory.update(of('a'), ids)
    memory.update([], ids)
    expect(memory.update(of('a'), ids)).toHaveLength(1)
  })

  test('do not announce again after the connection was away for a moment', () => {
    const memory = stuckTaskMemory()
    memory.update(of('a'), ids)
    memory.update([], new Set())
    expect(memory.update(of('a'), ids)).toEqual([])
  })

  test('tell tasks of two pools apart that have the same id', () => {
    const memory = stuckTaskMemory()
    memory.update([], ids)
    expect(
      memory.update(stuckTasks([stuck('a'), stuck('a', { poolId: 'pool-2' })]), new Set(['pool-1', 'pool-2'])),
    ).toHaveLength(2)
  })
})

describe('Burst', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  test('hands on what comes within the time as one', async () => {
    const flushed: (readonly number[])[] = []
    const burst = new Burst<number>(1000, (items) => flushed.push(items))
    burst.add(1)
    await vi.advanceTimersByTimeAsync(900)
    burst.add(2)
    await vi.advanceTimersByTimeAsync(100)
    burst.add(3)
    await vi.advanceTimersByTimeAsync(1000)
    expect(flushed).toEqual([[1, 2], [3]])
  })

  test('hands on nothing after its end', async () => {
    const flushed: unknown[] = []
    const burst = new Burst<number>(1000, (items) => flushed.push(items))
    burst.add(1)
    burst.dispose()
    await vi.advanceTimersByTimeAsync(5000)
    expect(flushed).toEqual([])
  })
})

describe('What a notification says', () => {
  test('one stuck task: where it is and why', () => {
    expect(stuckMessage([stuck('login')])).toBe(
      'Pool “Crawl”: crawl(login) is stuck in PoolWorker-2 (pid 4211). It has not moved for 42 s.',
    )
  })

  test('several in one pool: how many, and the first ones by name', () => {
    expect(stuckMessage(['a', 'b', 'c', 'd', 'e'].map((id) => stuck(id)))).toBe(
      'Pool “Crawl”: 5 tasks are stuck: crawl(a), crawl(b), crawl(c) and 2 more.',
    )
  })

  test('several in several pools', () => {
    expect(stuckMessage([stuck('a'), stuck('b', { poolId: 'pool-2', poolName: 'Resize' })])).toBe(
      '2 tasks are stuck in 2 pools: crawl(a), crawl(b).',
    )
  })

  test('issues of a shutdown: one in full, more counted', () => {
    const report = (name: string, issues: string[]): ShutdownReportWire => ({
      subject: { id: 'x', name },
      startedAt: 0,
      durationMs: 1,
      workers: [],
      issues,
    })
    const unknown = (): undefined => undefined
    expect(issuesMessage([report('Stubborn', ['worker still alive: PoolWorker-3, pid=7'])], unknown)).toBe(
      'Stubborn: worker still alive: PoolWorker-3, pid=7',
    )
    expect(issuesMessage([report('A', ['one', 'two']), report('B', ['three'])], unknown)).toBe(
      'A, B: 3 issues after the shutdown. one',
    )
  })

  test('issues of a worker’s shutdown: the pool, and the worker once', () => {
    const report: ShutdownReportWire = {
      subject: { id: 'pool-x/PoolWorker-3', name: 'PoolWorker-3' },
      startedAt: 0,
      durationMs: 1,
      workers: [],
      issues: ['worker still alive: PoolWorker-3, pid=7'],
    }
    expect(issuesMessage([report], (id) => (id === 'pool-x' ? 'Stubborn' : undefined))).toBe(
      'Stubborn: worker still alive: PoolWorker-3, pid=7',
    )
  })

  test('one stuck task whose verdict names it: once', () => {
    const [placed] = [stuck('login')]
    const worker = {
      ...placed.worker,
      task: task({
        id: 'login',
        label: 'crawl(login)',
        stuck: true,
        verdict: { ...noProgress, summary: 'crawl(login) has not moved for 42 s.' },
      }),
    }
    expect(stuckMessage([{ pool: placed.pool, worker }])).toBe(
      'Pool “Crawl”, PoolWorker-2 (pid 4211): crawl(login) has not moved for 42 s.',
    )
  })

  test('what a dead host left behind', () => {
    expect([orphansMessage(1), orphansMessage(4)]).toEqual([
      'The host ended; 1 worker is left behind.',
      'The host ended; 4 workers are left behind.',
    ])
  })

  test('a shutdown in the log: of what, why, and how many processes', () => {
    const report = {
      startedAt: 0,
      durationMs: 12.3,
      issues: [],
      workers: [
        {
          name: 'PoolWorker-3',
          pid: 7,
          sent: [{ signal: 'SIGKILL', atMs: 1, outcome: 'sent' }],
          foreseen: [],
          outcome: 'ended',
        },
      ],
    }
    expect(
      shutdownLogLine(
        {
          askedBy: 'user',
          reason: 'kill asked by user',
          report: { ...report, subject: { id: 'pool-x/PoolWorker-3', name: 'PoolWorker-3' } },
        },
        'Stubborn',
      ),
    ).toBe('Shutdown of PoolWorker-3 of pool Stubborn (pool-x), kill asked by user; 1 process, 1 signalled, 12 ms.')
    expect(
      shutdownLogLine(
        {
          askedBy: 'cli',
          reason: 'Ctrl-C',
          report: { ...report, workers: [], subject: { id: 'pool-x', name: 'Stubborn' } },
        },
        'Stubborn',
      ),
    ).toBe('Shutdown of pool Stubborn (pool-x), asked by cli: Ctrl-C; 0 processes, 0 signalled, 12 ms.')
  })
})
