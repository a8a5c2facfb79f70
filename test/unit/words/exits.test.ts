import { expect, test } from 'vitest'
import { exitText } from '../../../src/words'

test.each<[number | null, string | null, string | undefined]>([
  [0, null, 'exit 0'],
  [3, null, 'exit 3'],
  [null, 'SIGTERM', 'exit -15 (SIGTERM)'],
  [null, 'SIGKILL', 'exit -9 (SIGKILL)'],
  [null, 'SIGODD', 'exit (SIGODD)'],
  [null, null, undefined],
])('Exit code %s and signal %s read %s, as Python writes it', (exitCode, signal, text) => {
  expect(exitText({ exitCode, signal })).toBe(text)
})
