import { beforeEach, describe, expect, test } from 'vitest'
import { PoolCatalog } from '../../../src/extension/model/poolCatalog'
import { PoolStore, type StoreChange } from '../../../src/extension/model/poolStore'
import { nodeKey, type PoolsNode } from '../../../src/extension/view/nodes'
import { PoolsTree, pageSize } from '../../../src/extension/view/poolsTree'
import type { PoolSnapshot } from '../../../src/protocol'
import { full, pool, programPool, task, watchedPool, worker, workers } from './samples'

describe('PoolsTree', () => {
  let store: PoolStore
  let tree: PoolsTree
  let last: StoreChange | undefined
  let rev = 0
  const show = (...pools: PoolSnapshot[]): void => {
    store.apply(full(pools, ++rev))
  }
  const touched = (): string[] => {
    const rows = tree.rowsTouchedBy(last!)
    return rows === 'root' ? ['root'] : keys(rows)
  }
  const keys = (nodes: readonly PoolsNode[]): string[] => nodes.map(nodeKey)
  const child = (parent: PoolsNode | undefined, index: number): PoolsNode => {
    const node = tree.children(parent)[index]
    if (node === undefined) throw new Error(`no child ${index}`)
    return node
  }

  beforeEach(() => {
    const catalog = new PoolCatalog()
    store = new PoolStore()
    catalog.addStore(store, 'demo')
    tree = new PoolsTree(catalog)
    catalog.onDidChange((change) => {
      last = change
    })
  })

  test('shows the newest pool first', () => {
    show(pool({ id: 'old', startedAt: 1 }), pool({ id: 'new', startedAt: 2 }))
    expect(keys(tree.children())).toEqual(['pool/new', 'pool/old'])
  })

  test('shows the pools of a program below it: those that live, the newest first, then its own processes', () => {
    show(
      watchedPool({ id: 'a', startedAt: 3 }),
      watchedPool({ id: 'b', startedAt: 4 }),
      watchedPool({ id: 'over', startedAt: 9, state: 'ended' }),
      pool({ id: 'other', startedAt: 1 }),
      programPool({
        startedAt: 2,
        workers: [worker({ name: 'MainProcess', pid: 4700 }), worker({ name: 'Process-1' })],
      }),
    )
    expect(keys(tree.children())).toEqual(['pool/program-1', 'pool/other'])
    const program = child(undefined, 0)
    expect(keys(tree.children(program))).toEqual(['pool/b', 'pool/a', 'pool/over', 'worker/program-1/Process-1'])
    expect(tree.parent(child(program, 0))).toBe(program)
    expect(tree.parent(program)).toBeUndefined()
  })

  test('shows a pool by itself when its program is not known', () => {
    show(watchedPool())
    expect(keys(tree.children())).toEqual(['pool/watched-1'])
    expect(tree.parent(child(undefined, 0))).toBeUndefined()
  })

  test('looks at the program again when something changes in a pool of it', () => {
    show(programPool(), watchedPool({ verdicts: [] }))
    tree.children(child(undefined, 0))
    show(programPool(), watchedPool())
    expect(touched()).toEqual(['pool/program-1', 'pool/watched-1'])
  })

  test('shows live workers by number, then the group of those that exited', () => {
    show(
      pool({
        workers: [
          worker({ name: 'PoolWorker-10' }),
          worker({ name: 'PoolWorker-9' }),
          worker({ name: 'PoolWorker-1', status: 'exited' }),
        ],
      }),
    )
    expect(keys(tree.children(child(undefined, 0)))).toEqual([
      'worker/pool-1/PoolWorker-9',
      'worker/pool-1/PoolWorker-10',
      'exited/pool-1',
    ])
  })

  test('shows the task in flight below its worker', () => {
    show(pool({ workers: [worker({ status: 'busy', task: task() })] }))
    const row = child(child(undefined, 0), 0)
    expect(keys(tree.children(row))).toEqual(['task/pool-1/PoolWorker-1'])
  })

  test('knows the parent of every row, so that it can be revealed', () => {
    show(
      pool({
        workers: [
          worker({ status: 'busy', task: task() }),
          worker({ name: 'PoolWorker-2', status: 'exited', task: task({ state: 'lost' }) }),
        ],
      }),
    )
    const root = child(undefined, 0)
    const live = child(root, 0)
    const group = child(root, 1)
    const exited = child(group, 0)
    expect(tree.parent(child(live, 0))).toBe(live)
    expect(tree.parent(live)).toBe(root)
    expect(tree.parent(exited)).toBe(group)
    expect(tree.parent(group)).toBe(root)
    expect(tree.parent(root)).toBeUndefined()
  })

  test('hands out the same object for the same row', () => {
    show(pool({ workers: [worker()] }))
    const before = child(child(undefined, 0), 0)
    show(pool({ workers: [worker({ status: 'busy' })] }))
    expect(child(child(undefined, 0), 0)).toBe(before)
  })

  test('narrows a change to the rows that are about that worker', () => {
    show(pool({ workers: workers(3, () => ({ status: 'busy', task: task() })) }))
    const root = child(undefined, 0)
    for (const row of tree.children(root)) tree.children(row)
    show(pool({ workers: workers(3, (index) => ({ status: 'busy', task: task({ stuck: index === 1 }) })) }))
    expect(touched()).toEqual(['worker/pool-1/PoolWorker-2', 'task/pool-1/PoolWorker-2'])
  })

  test('does not name rows that were never shown', () => {
    show(pool({ workers: workers(1) }))
    show(pool({ workers: workers(1, () => ({ status: 'busy' })) }))
    expect(touched()).toEqual([])
  })

  test('redraws the root when a pool comes', () => {
    show(pool())
    show(pool(), pool({ id: 'pool-2' }))
    expect(tree.rowsTouchedBy(last!)).toBe('root')
  })

  test('shows a page of a thousand workers, and another when asked', () => {
    show(pool({ workers: workers(1000) }))
    const root = child(undefined, 0)
    expect(tree.children(root)).toHaveLength(pageSize + 1)
    expect(tree.children(root).at(-1)).toMatchObject({ kind: 'more', list: 'live' })
    expect(tree.hiddenCount('pool-1', 'live')).toBe(1000 - pageSize)
    expect(tree.showMore('pool-1', 'live')).toBe(root)
    expect(tree.children(root)).toHaveLength(2 * pageSize + 1)
  })

  test('puts a stuck worker where it is seen, however many there are', () => {
    show(
      pool({
        workers: workers(1000, (index) => (index === 777 ? { status: 'busy', task: task({ stuck: true }) } : {})),
      }),
    )
    expect(keys(tree.children(child(undefined, 0)))[0]).toBe('worker/pool-1/PoolWorker-778')
  })

  test('looks each second at the rows that are shown and live', () => {
    show(
      pool({
        workers: [
          worker({ status: 'busy', task: task() }),
          worker({ name: 'PoolWorker-2', status: 'exited', exitedAt: 2_000 }),
        ],
      }),
    )
    expect(tree.tickingRows()).toEqual([])
    const root = child(undefined, 0)
    tree.children(child(root, 0))
    tree.children(child(root, 1))
    expect(keys(tree.tickingRows())).toEqual(['pool/pool-1', 'worker/pool-1/PoolWorker-1', 'task/pool-1/PoolWorker-1'])
  })

  test('keeps nothing of a pool that is gone', () => {
    show(pool({ workers: [worker({ status: 'busy', task: task() })] }))
    tree.children(child(undefined, 0))
    show()
    tree.rowsTouchedBy(last!)
    expect(tree.tickingRows()).toEqual([])
    expect(tree.children()).toEqual([])
  })
})
