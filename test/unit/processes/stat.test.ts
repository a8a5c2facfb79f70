import { describe, expect, test } from 'vitest'
import { parseProcStat } from '../../../src/processes/linux/stat'

/** A line of /proc/PID/stat with this name and state; the numbers tell their field. */
function stat(name: string, state = 'S', threads = 1): Buffer {
  const fields = [state, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 140, 15, 16, 17, 18, 19, threads, 21, 22_000, 23, 24, 25, 26]
  return Buffer.from(`42 (${name}) ${fields.join(' ')}\n`)
}

describe('a line of /proc/PID/stat', () => {
  test('is read by field number', () => {
    expect(parseProcStat(stat('node'))).toEqual({
      pid: 42,
      command: 'node',
      state: 'sleeping',
      parentPid: 4,
      processGroup: 5,
      session: 6,
      cpuTicks: 155,
      startTicks: 22_000,
      residentPages: 24,
    })
  })

  test.each(['a b', ') R 1 1 1', '((', '))', 'tmux: server', 'new\nline', 'größe'])(
    'is read with the name %j',
    (name) => {
      expect(parseProcStat(stat(name))).toMatchObject({ command: name, parentPid: 4, startTicks: 22_000 })
    },
  )

  test.each([
    ['R', 'running'],
    ['S', 'sleeping'],
    ['D', 'uninterruptible'],
    ['T', 'stopped'],
    ['t', 'stopped'],
    ['Z', 'zombie'],
    ['I', 'idle'],
    ['P', 'unknown'],
  ])('spells state %s out as %s', (letter, state) => {
    expect(parseProcStat(stat('node', letter))?.state).toBe(state)
  })

  test('with an ended main thread beside living ones is no zombie', () => {
    expect(parseProcStat(stat('node', 'Z', 3))?.state).toBe('sleeping')
  })

  test('of a process that is already dead tells nothing', () => {
    expect(parseProcStat(stat('node', 'X'))).toBeUndefined()
  })

  test.each(['', 'nonsense', '42 (node', '42 (node) S 1 2'])(
    'that is cut short or garbage tells nothing: %j',
    (text) => {
      expect(parseProcStat(Buffer.from(text))).toBeUndefined()
    },
  )
})
