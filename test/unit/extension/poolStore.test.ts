import { describe, expect, test } from 'vitest'
import { PoolStore, type StoreChange } from '../../../src/extension/model/poolStore'
import type { DeltaSnapshot } from '../../../src/protocol'
import { full, noCounts, pool, poolHeader, task, worker } from './samples'

function recorded(store: PoolStore): StoreChange[] {
  const changes: StoreChange[] = []
  store.onDidChange((change) => changes.push(change))
  return changes
}

function delta(over: Partial<DeltaSnapshot> = {}): DeltaSnapshot {
  return { kind: 'delta', since: 1, rev: 2, pools: [], workers: [], removedPools: [], machine: null, ...over }
}

describe('PoolStore', () => {
  test('takes a full snapshot and says that pools came', () => {
    const store = new PoolStore()
    const changes = recorded(store)
    expect(store.apply(full([pool({ workers: [worker()] })]))).toBe('applied')
    expect(store.worker('pool-1', 'PoolWorker-1')?.pid).toBe(4211)
    expect(changes).toMatchObject([{ membership: true }])
  })

  test('says nothing when a full snapshot holds nothing new', () => {
    const store = new PoolStore()
    store.apply(full([pool({ workers: [worker()] })]))
    const changes = recorded(store)
    store.apply(full([pool({ workers: [worker()] })], 2))
    expect(changes).toEqual([])
    expect(store.rev).toBe(2)
  })

  test('narrows a worker that changed in place to that worker', () => {
    const store = new PoolStore()
    store.apply(full([pool({ workers: [worker(), worker({ name: 'PoolWorker-2' })] })]))
    const changes = recorded(store)
    store.apply(
      delta({ workers: [{ poolId: 'pool-1', workers: [worker({ status: 'busy', task: task() })], removed: [] }] }),
    )
    expect(changes).toEqual([
      expect.objectContaining({
        membership: false,
        pools: new Set(),
        workers: new Map([['pool-1', new Set(['PoolWorker-1'])]]),
      }),
    ])
  })

  test('counts an exit as a change of the pool, because the row moves', () => {
    const store = new PoolStore()
    store.apply(full([pool({ workers: [worker()] })]))
    const changes = recorded(store)
    store.apply(
      delta({ workers: [{ poolId: 'pool-1', workers: [worker({ status: 'exited', exitCode: 0 })], removed: [] }] }),
    )
    expect(changes[0]?.pools).toEqual(new Set(['pool-1']))
  })

  test('takes away workers and pools that a delta removes', () => {
    const store = new PoolStore()
    store.apply(full([pool({ workers: [worker()] }), pool({ id: 'pool-2' })]))
    const changes = recorded(store)
    store.apply(
      delta({ removedPools: ['pool-2'], workers: [{ poolId: 'pool-1', workers: [], removed: ['PoolWorker-1'] }] }),
    )
    expect(store.pools.map(({ header }) => header.id)).toEqual(['pool-1'])
    expect(store.worker('pool-1', 'PoolWorker-1')).toBeUndefined()
    expect(changes[0]).toMatchObject({ membership: true, pools: new Set(['pool-1']) })
  })

  test('refuses a delta from another revision and changes nothing', () => {
    const store = new PoolStore()
    store.apply(full([pool()], 5))
    const changes = recorded(store)
    expect(store.apply(delta({ since: 3, rev: 6, removedPools: ['pool-1'] }))).toBe('gap')
    expect(store.pools).toHaveLength(1)
    expect(store.rev).toBe(5)
    expect(changes).toEqual([])
  })

  test('adds a pool and its workers that arrive in one delta', () => {
    const store = new PoolStore()
    store.apply(full([]))
    store.apply(
      delta({
        pools: [poolHeader({ counts: { ...noCounts, running: 1 } })],
        workers: [{ poolId: 'pool-1', workers: [worker()], removed: [] }],
      }),
    )
    expect(store.pool('pool-1')?.workers.size).toBe(1)
  })

  test('forgets everything when it is cleared', () => {
    const store = new PoolStore()
    store.apply(full([pool()]))
    const changes = recorded(store)
    store.clear()
    expect([store.pools, store.rev]).toEqual([[], undefined])
    expect(changes).toMatchObject([{ membership: true }])
  })
})
