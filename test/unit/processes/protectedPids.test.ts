import { expect, test } from 'vitest'
import { ProtectedPids } from '../../../src/processes'

test('init, groups, this process, its parent and nonsense are always protected', () => {
  const pids = new ProtectedPids()
  for (const pid of [1, 0, -1, -4711, process.pid, process.ppid, 1.5, Number.NaN]) expect(pids.has(pid)).toBe(true)
  expect(pids.has(4_000_000)).toBe(false)
})

test(
  'a pid that was added twice is protected until both additions are taken back, and taking one back ' +
    'twice counts once',
  () => {
    const pids = new ProtectedPids()
    const first = pids.add(4711)
    const second = pids.add(4711)
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    expect(pids.has(4711)).toBe(true)
    second[Symbol.dispose]()
    expect(pids.has(4711)).toBe(false)
  },
)
