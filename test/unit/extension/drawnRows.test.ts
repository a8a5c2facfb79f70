import { beforeEach, describe, expect, test } from 'vitest'
import { PoolCatalog } from '../../../src/extension/model/poolCatalog'
import { PoolStore } from '../../../src/extension/model/poolStore'
import { DrawnRows, poolTextEveryMs, stuckPoolTextEveryMs } from '../../../src/extension/view/drawnRows'
import { nodeKey, type PoolsNode } from '../../../src/extension/view/nodes'
import { PoolsTree } from '../../../src/extension/view/poolsTree'
import type { PoolSnapshot } from '../../../src/protocol'
import { full, noCounts, noProgress, pool, task, worker } from './samples'

const busy = worker({ status: 'busy', task: task({ startedAt: 0 }) })
const stuck = worker({ status: 'busy', task: task({ startedAt: 0, stuck: true, verdict: noProgress }) })

describe('What is drawn again', () => {
  let store: PoolStore
  let tree: PoolsTree
  let drawn: DrawnRows
  let all: PoolsNode[]
  let rev: number

  const show = (snapshot: PoolSnapshot): void => {
    store.apply(full([snapshot], ++rev))
  }
  const drawAll = (now: number): void => {
    const list = (parent?: PoolsNode): PoolsNode[] => tree.children(parent).flatMap((node) => [node, ...list(node)])
    all = list()
    for (const node of all) drawn.keep(node, now)
  }
  const redrawn = (now: number): string[] => drawn.take(all, now).map(nodeKey)

  beforeEach(() => {
    const catalog = new PoolCatalog()
    store = new PoolStore()
    catalog.addStore(store, 'demo')
    tree = new PoolsTree(catalog)
    drawn = new DrawnRows(catalog, tree)
    rev = 0
  })

  test('is nothing when only CPU and memory changed, which a row does not show', () => {
    show(pool({ workers: [busy] }))
    drawAll(5_000)
    show(pool({ workers: [{ ...busy, cpuPercent: 40, memoryBytes: 1_000 }] }))
    expect(redrawn(5_000)).toEqual([])
  })

  test('is a busy worker each second at first, then each ten', () => {
    show(pool({ workers: [busy] }))
    drawAll(5_000)
    const seconds = Array.from({ length: 26 }, (_, index) => 5 + index).filter((second) =>
      redrawn(second * 1_000).includes('worker/pool-1/PoolWorker-1'),
    )
    expect(seconds).toEqual([6, 7, 8, 9, 10, 20, 30])
  })

  test('is a stuck worker each ten seconds only, so that its hover can be read', () => {
    show(pool({ workers: [stuck] }))
    drawAll(3_000)
    const seconds = Array.from({ length: 28 }, (_, index) => 3 + index).filter(
      (second) => redrawn(second * 1_000).length > 0,
    )
    expect(seconds).toEqual([10, 20, 30])
  })

  test('is a worker, with the task below it, as soon as it is stuck', () => {
    show(pool({ workers: [busy] }))
    drawAll(20_000)
    show(pool({ workers: [stuck] }))
    expect(redrawn(20_000)).toEqual(['worker/pool-1/PoolWorker-1'])
    expect(redrawn(20_000)).toEqual([])
  })

  test('is a worker whose verdict changed, because its hover says another thing', () => {
    show(pool({ workers: [stuck] }))
    drawAll(20_000)
    show(
      pool({
        workers: [
          worker({ ...stuck, task: task({ startedAt: 0, stuck: true, verdict: { ...noProgress, code: 'stopped' } }) }),
        ],
      }),
    )
    expect(redrawn(20_000)).toEqual(['worker/pool-1/PoolWorker-1'])
  })

  test('is a worker that runs another task of the same name', () => {
    show(pool({ workers: [busy] }))
    drawAll(5_000)
    show(pool({ workers: [worker({ status: 'busy', task: task({ id: 't2', startedAt: 0 }) })] }))
    expect(redrawn(5_000)).toEqual(['worker/pool-1/PoolWorker-1'])
  })

  test('is a pool with all below it at once when a worker comes or goes', () => {
    show(pool({ workers: [busy] }))
    drawAll(5_000)
    show(pool({ workers: [busy, worker({ name: 'PoolWorker-2' })] }))
    expect(redrawn(5_000)).toEqual(['pool/pool-1'])
    show(
      pool({
        workers: [busy, worker({ name: 'PoolWorker-2', status: 'exited', exitCode: 0, exitedAt: 5_000 })],
        exitedWorkerCount: 1,
      }),
    )
    expect(redrawn(5_000)).toEqual(['pool/pool-1'])
  })

  test.each([
    ['', 0, poolTextEveryMs],
    [' longer with a stuck task', 1, stuckPoolTextEveryMs],
  ])('is a pool’s own count only after a while,%s', (_which, stuckCount, wait) => {
    const counts = { ...noCounts, running: 1, stuck: stuckCount }
    show(pool({ workers: [worker()], counts }))
    drawAll(10_000)
    show(pool({ workers: [worker()], counts: { ...counts, done: 1 } }))
    expect(redrawn(10_000 + wait - 1)).toEqual([])
    expect(redrawn(10_000 + wait)).toEqual(['pool/pool-1'])
    expect(redrawn(10_000 + wait)).toEqual([])
  })

  test('is the group of exited workers under another name once the pool ended, so that it opens', () => {
    const exited = worker({ status: 'exited', exitCode: 0, exitedAt: 5_000 })
    show(pool({ workers: [exited], exitedWorkerCount: 1 }))
    drawAll(5_000)
    show(pool({ workers: [exited], exitedWorkerCount: 1, state: 'ended', endedAt: 6_000 }))
    expect(redrawn(6_000)).toEqual(['pool/pool-1'])
  })
})
