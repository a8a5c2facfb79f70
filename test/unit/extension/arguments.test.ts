import { describe, expect, test } from 'vitest'
import { poolIdsOf, readArguments, workersOf } from '../../../src/extension/commands/arguments'
import { tasksNamed } from '../../../src/extension/commands/namedTasks'
import type { PoolsNode } from '../../../src/extension/view/nodes'

const pool: PoolsNode = { kind: 'pool', poolId: 'a' }
const worker: PoolsNode = { kind: 'worker', poolId: 'a', name: 'PoolWorker-1' }
const task: PoolsNode = { kind: 'task', poolId: 'a', worker: 'PoolWorker-1' }

describe('What a command was called on', () => {
  test.each<[string, unknown[], ReturnType<typeof readArguments>]>([
    ['the palette', [], { rows: [], poolId: undefined, label: undefined, folder: undefined }],
    ['an inline button', [worker], { rows: [worker], poolId: undefined, label: undefined, folder: undefined }],
    [
      'a menu on a selection',
      [worker, [worker, pool]],
      { rows: [worker, pool], poolId: undefined, label: undefined, folder: undefined },
    ],
    [
      'a code lens on a running pool',
      [{ poolId: 'a' }],
      { rows: [], poolId: 'a', label: undefined, folder: undefined },
    ],
    [
      'a keybinding on a task',
      [{ label: 'Crawl' }],
      { rows: [], poolId: undefined, label: 'Crawl', folder: undefined },
    ],
    [
      'a code lens on a task of a folder',
      [{ label: 'Crawl', folder: 'file:///w' }],
      { rows: [], poolId: undefined, label: 'Crawl', folder: 'file:///w' },
    ],
    ['nonsense', [42, 'x'], { rows: [], poolId: undefined, label: undefined, folder: undefined }],
    [
      'nonsense in fields',
      [{ poolId: 7, label: '' }],
      { rows: [], poolId: undefined, label: undefined, folder: undefined },
    ],
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

describe('A task of a label', () => {
  const taskIn = (folder: string, name = 'Crawl') => ({ name, scope: { uri: { toString: () => folder } } })
  const one = taskIn('file:///one')
  const other = taskIn('file:///other')
  const global = { name: 'Crawl', scope: 1 }

  test('is that of the folder whose code lens was clicked, though another folder has the label too', () => {
    expect(tasksNamed([one, other, global], 'Crawl', 'file:///other')).toEqual([other])
    expect(tasksNamed([one], 'Crawl', 'file:///other')).toEqual([])
  })

  test('is any where no folder is named', () => {
    expect(tasksNamed([one, other, global, taskIn('file:///one', 'Index')], 'Crawl', undefined)).toEqual([
      one,
      other,
      global,
    ])
  })
})
