import { describe, expect, test } from 'vitest'
import { poolIdsOf, readArguments, workersOf } from '../../../src/extension/commands/arguments'
import type { PoolsNode } from '../../../src/extension/view/nodes'

const pool: PoolsNode = { kind: 'pool', poolId: 'a' }
const worker: PoolsNode = { kind: 'worker', poolId: 'a', name: 'PoolWorker-1' }
const task: PoolsNode = { kind: 'task', poolId: 'a', worker: 'PoolWorker-1' }

describe('What a command was called on', () => {
  test.each<[string, unknown[], ReturnType<typeof readArguments>]>([
    ['the palette', [], { rows: [], poolId: undefined, label: undefined }],
    ['an inline button', [worker], { rows: [worker], poolId: undefined, label: undefined }],
    ['a menu on a selection', [worker, [worker, pool]], { rows: [worker, pool], poolId: undefined, label: undefined }],
    ['a code lens on a running pool', [{ poolId: 'a' }], { rows: [], poolId: 'a', label: undefined }],
    ['a code lens on a task', [{ label: 'Crawl' }], { rows: [], poolId: undefined, label: 'Crawl' }],
    ['nonsense', [42, 'x'], { rows: [], poolId: undefined, label: undefined }],
    ['nonsense in fields', [{ poolId: 7, label: '' }], { rows: [], poolId: undefined, label: undefined }],
  ])('by %s', (_by, args, expected) => {
    expect(readArguments(args)).toEqual(expected)
  })

  test('a task’s row stands for its worker, each worker once', () => {
    expect(workersOf([worker, task, pool])).toEqual([{ poolId: 'a', name: 'PoolWorker-1' }])
  })

  test('every row stands for its pool, each pool once', () => {
    expect(poolIdsOf([pool, worker, task])).toEqual(['a'])
  })
})
