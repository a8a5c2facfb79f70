import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PlacedWorker } from '../../../src/extension/model/poolCatalog'
import { Burst } from '../../../src/extension/notify/burst'
import { issuesMessage } from '../../../src/extension/notify/issuesMessage'
import { StuckMemory } from '../../../src/extension/notify/newlyStuck'
import { stuckMessage } from '../../../src/extension/notify/stuckMessage'
import type { ShutdownReportWire } from '../../../src/protocol'
import { noProgress, poolHeader, task, worker } from './samples'

function stuck(taskId: string, { poolId = 'pool-1', poolName = 'Crawl', name = 'PoolWorker-2' } = {}): PlacedWorker {
  const snapshot = worker({ name, status: 'busy', task: task({ id: taskId, label: `crawl(${taskId})`, stuck: true, verdict: noProgress }) })
  return { pool: { header: poolHeader({ id: poolId, name: poolName }), workers: new Map([[name, snapshot]]) }, worker: snapshot }
}
const ids = new Set(['pool-1'])

describe('StuckMemory', () => {
  test('announces a task once', () => {
    const memory = new StuckMemory()
    memory.update([], ids, true)
    expect(memory.update([stuck('a')], ids, false).map(({ taskId }) => taskId)).toEqual(['a'])
    expect(memory.update([stuck('a')], ids, false)).toEqual([])
  })

  test('does not announce what was stuck before anybody looked', () => {
    const memory = new StuckMemory()
    expect(memory.update([stuck('a')], ids, true)).toEqual([])
    expect(memory.update([stuck('a'), stuck('b')], ids, false).map(({ taskId }) => taskId)).toEqual(['b'])
  })

  test('announces a task again that got going and got stuck again', () => {
    const memory = new StuckMemory()
    memory.update([stuck('a')], ids, false)
    memory.update([], ids, false)
    expect(memory.update([stuck('a')], ids, false)).toHaveLength(1)
  })

  test('does not announce again after the connection was away for a moment', () => {
    const memory = new StuckMemory()
    memory.update([stuck('a')], ids, false)
    memory.update([], new Set(), false)
    expect(memory.update([stuck('a')], ids, false)).toEqual([])
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
    expect(stuckMessage([stuck('login')])).toBe('Pool “Crawl”: crawl(login) is stuck in PoolWorker-2 (pid 4211). It has not moved for 42 s.')
  })

  test('several in one pool: how many, and the first ones by name', () => {
    expect(stuckMessage(['a', 'b', 'c', 'd', 'e'].map((id) => stuck(id)))).toBe('Pool “Crawl”: 5 tasks are stuck: crawl(a), crawl(b), crawl(c) and 2 more.')
  })

  test('several in several pools', () => {
    expect(stuckMessage([stuck('a'), stuck('b', { poolId: 'pool-2', poolName: 'Resize' })])).toBe('2 tasks are stuck in 2 pools: crawl(a), crawl(b).')
  })

  test('issues of a shutdown: one in full, more counted', () => {
    const report = (name: string, issues: string[]): ShutdownReportWire => ({ subject: { id: 'x', name }, startedAt: 0, durationMs: 1, workers: [], issues })
    expect(issuesMessage([report('Stubborn', ['worker still alive: PoolWorker-3, pid=7'])])).toBe('Stubborn: worker still alive: PoolWorker-3, pid=7')
    expect(issuesMessage([report('A', ['one', 'two']), report('B', ['three'])])).toBe('A, B: 3 issues after the shutdown. one')
  })
})
