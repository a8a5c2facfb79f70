import { describe, expect, test } from 'vitest'
import { belongsTo } from '../../../../src/host/programs/members/belongsTo'
import { FakeProcessTable } from '../../shutdown/fakeProcessTable'

const table = new FakeProcessTable()
const root = table.add({ pid: 10, parentPid: 5 })
const worker = table.add({ pid: 11, parentPid: 10 })
const nested = table.add({ pid: 12, parentPid: 11 })
const editor = table.add({ pid: 20, parentPid: 5 })
table.add({ pid: 5, parentPid: 1 })
const circle = table.add({ pid: 30, parentPid: 31 })
table.add({ pid: 31, parentPid: 30 })

const belongs = (identity: { pid: number; startTime: string }) => belongsTo(identity, root, 'program-1/main', table)

describe('a process belongs to a program', () => {
  test('when it is its main process, or descends from it', async () => {
    expect(await Promise.all([root, worker, nested].map(belongs))).toEqual([true, true, true])
  })

  test('and not because the program says so: its own parent, a neighbour, a pid that was used again', async () => {
    expect(
      await Promise.all(
        [
          editor,
          { pid: 5, startTime: 'boot-5' },
          { pid: 10, startTime: 'boot-999' },
          { pid: 11, startTime: 'boot-999' },
        ].map(belongs),
      ),
    ).toEqual([false, false, false, false])
  })

  test('and not while there is no main process, or in a table that makes no sense', async () => {
    expect(await belongsTo(worker, undefined, 'x', table)).toBe(false)
    expect(await belongs(circle)).toBe(false)
  })
})
