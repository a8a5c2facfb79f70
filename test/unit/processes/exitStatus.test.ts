import { describe, expect, test } from 'vitest'
import { parseExitStatus } from '../../../src/processes/linux/exitStatus'

/** A line of /proc/PID/stat with 52 fields. */
function stat(state: string, exitCode: number, threads = 1, name = 'python3'): string {
  const rest = Array.from({ length: 49 }, () => '0')
  rest[20 - 4] = String(threads)
  rest[52 - 4] = String(exitCode)
  return `4711 (${name}) ${state} ${rest.join(' ')}\n`
}
const status = (uid: number): string => `Name:\tpython3\nState:\tZ (zombie)\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`

describe('the exit of a zombie', () => {
  test.each([
    [0, 0, null],
    [3 << 8, 3, null],
    [255 << 8, 255, null],
    [9, null, 'SIGKILL'],
    [11 | 0x80, null, 'SIGSEGV'],
    [36, 164, null],
  ] as const)('%s means code %s, signal %s', (code, exitCode, signal) => {
    expect(parseExitStatus(stat('Z', code), status(1000), 1000)).toEqual({ exitCode, signal })
  })

  test('is found behind a name with parentheses and a state in it', () => {
    expect(parseExitStatus(stat('Z', 3 << 8, 1, 'a) R (b\n c'), status(1000), 1000)).toEqual({
      exitCode: 3,
      signal: null,
    })
  })

  test('is none while it lives, or only its main thread has ended', () => {
    expect(parseExitStatus(stat('S', 0), status(1000), 1000)).toBeUndefined()
    expect(parseExitStatus(stat('Z', 0, 2), status(1000), 1000)).toBeUndefined()
  })

  test("is not believed of another user's, of which the kernel always says 0", () => {
    expect(parseExitStatus(stat('Z', 0), status(1001), 1000)).toBeUndefined()
    expect(parseExitStatus(stat('Z', 0), status(1001), 0)).toEqual({ exitCode: 0, signal: null })
    expect(parseExitStatus(stat('Z', 0), 'Name:\tx\n', 1000)).toBeUndefined()
  })

  test('is unknown where the kernel does not write it', () => {
    expect(parseExitStatus('4711 (x) Z 1 2 3', status(1000), 1000)).toBeUndefined()
  })
})
