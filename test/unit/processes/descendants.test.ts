import { describe, expect, test } from 'vitest'
import { findDescendants, type DescendantRoot } from '../../../src/processes/descendants'
import type { ProcessIdentity, ProcessRow } from '../../../src/processes/types'

interface RowFacts {
  parent?: number
  group?: number
  session?: number
  start?: number
}

function row(pid: number, { parent = 1, group = 1, session = 1, start = pid }: RowFacts = {}): ProcessRow {
  return {
    identity: identity(pid, start),
    parentPid: parent,
    processGroup: group,
    session,
    state: 'sleeping',
    command: 'x',
  }
}
function identity(pid: number, start = pid): ProcessIdentity {
  return { pid, startTime: `boot-${start}` }
}
function find(rows: ProcessRow[], roots: DescendantRoot[], markers: [number, string][] = []): Map<number, number[]> {
  const found = findDescendants(rows, roots, {
    markers: new Map(markers),
    startOf: ({ startTime }) => Number(startTime.slice(5)),
    slack: 0,
  })
  return new Map([...found].map(([pid, below]) => [pid, below.map((each) => each.identity.pid)]))
}

describe('descendants', () => {
  test("come parents first, without the root, the rest of the machine, or other roots' own", () => {
    const rows = [
      row(1),
      row(10),
      row(11, { parent: 10 }),
      row(12, { parent: 11 }),
      row(20),
      row(21, { parent: 20 }),
      row(30),
    ]
    expect(find(rows, [{ identity: identity(10) }, { identity: identity(20) }])).toEqual(
      new Map([
        [10, [11, 12]],
        [20, [21]],
      ]),
    )
  })

  test('of a process whose pid was reused are not those of the new one', () => {
    const rows = [
      row(10, { start: 500, session: 10, group: 10 }),
      row(11, { parent: 10, session: 10, group: 10, start: 501 }),
    ]
    expect(find(rows, [{ identity: identity(10, 10) }])).toEqual(new Map([[10, []]]))
  })

  test('are no older than their parent: that one has the pid of a parent that is gone', () => {
    expect(
      find([row(10, { start: 500 }), row(11, { parent: 10, start: 400 })], [{ identity: identity(10, 500) }]).get(10),
    ).toEqual([])
  })

  test('include the session that the root leads, but not the session it only belongs to', () => {
    const leading = [row(10, { session: 10 }), row(15, { session: 10 })]
    expect(find(leading, [{ identity: identity(10) }]).get(10)).toEqual([15])
    const belonging = [row(10, { session: 5 }), row(15, { session: 5 })]
    expect(find(belonging, [{ identity: identity(10) }]).get(10)).toEqual([])
  })

  test('include the session that a descendant leads', () => {
    const rows = [row(10), row(11, { parent: 10, session: 11 }), row(12, { session: 11 })]
    expect(find(rows, [{ identity: identity(10) }]).get(10)).toEqual([11, 12])
  })

  test("include re-parented members of the root's group, but not its siblings in a pipeline", () => {
    const rows = [
      row(5),
      row(10, { parent: 5, group: 10 }),
      row(11, { parent: 5, group: 10 }),
      row(12, { parent: 1, group: 10 }),
    ]
    expect(find(rows, [{ identity: identity(10) }]).get(10)).toEqual([12])
  })

  test('include those with the marker, and what is below them, also when the root is gone', () => {
    const rows = [row(20), row(21, { parent: 20 }), row(30)]
    expect(
      find(
        rows,
        [{ identity: identity(10), marker: 'm' }],
        [
          [20, 'm'],
          [30, 'n'],
        ],
      ).get(10),
    ).toEqual([20, 21])
  })

  test('do not include an ancestor that carries the same marker', () => {
    const rows = [row(10, { start: 1 }), row(11, { parent: 10, start: 1 }), row(12, { parent: 11, start: 1 })]
    expect(
      find(
        rows,
        [{ identity: identity(12, 1), marker: 'm' }],
        [
          [10, 'm'],
          [11, 'm'],
          [12, 'm'],
        ],
      ).get(12),
    ).toEqual([])
  })

  test('do not include who asks, nor what it started itself', () => {
    const rows = [
      row(10),
      row(11, { parent: 10 }),
      row(12, { parent: 11, session: 12 }),
      row(13, { parent: 12, session: 12 }),
      row(14, { parent: 11 }),
    ]
    const found = findDescendants(rows, [{ identity: identity(10) }], {
      markers: new Map(),
      startOf: ({ startTime }) => Number(startTime.slice(5)),
      slack: 0,
      self: 12,
    })
    expect(found.get(10)?.map((each) => each.identity.pid)).toEqual([11, 14])
  })

  test('are found in a table that shows a circle', () => {
    const rows = [row(10, { parent: 11, start: 1 }), row(11, { parent: 10, start: 1 })]
    expect(find(rows, [{ identity: identity(10, 1) }]).get(10)).toEqual([])
  })

  test('of two processes that had the same pid are joined', () => {
    const rows = [row(10, { start: 50 }), row(11, { parent: 10, start: 60 }), row(12, { start: 20 })]
    const roots = [{ identity: identity(10, 10), marker: 'm' }, { identity: identity(10, 50) }]
    expect(
      find(rows, roots, [[12, 'm']])
        .get(10)!
        .sort(),
    ).toEqual([11, 12])
  })

  test('of a thousand roots are found in one pass of linear cost', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => [
      row(10_000 + index),
      row(20_000 + index, { parent: 10_000 + index }),
    ]).flat()
    const found = find(
      rows,
      rows.slice().filter(({ identity: { pid } }) => pid < 20_000),
    )
    expect(found.size).toBe(1000)
    expect([...found.values()].every((below) => below.length === 1)).toBe(true)
  })
})
