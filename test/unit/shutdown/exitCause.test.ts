import { describe, expect, test } from 'vitest'
import { describeExit, explainExit, type KillLedgerEntry, type ProcessExit } from '../../../src/shutdown'

const by = (signal: NodeJS.Signals): ProcessExit => ({ exitCode: null, signal })
const withCode = (exitCode: number): ProcessExit => ({ exitCode, signal: null })
function sent(signal: NodeJS.Signals, outcome: KillLedgerEntry['outcome'] = 'sent'): KillLedgerEntry {
  return {
    at: Date.UTC(2024, 4, 31, 12),
    identity: { pid: 1, startTime: 'x' },
    name: 'PoolWorker-1',
    subjectId: 'pool-1',
    signal,
    outcome,
    reason: 'stuck',
    askedBy: 'user',
  }
}

describe('an exit', () => {
  test('is described the Python way', () => {
    expect(describeExit(by('SIGKILL'))).toBe('exit -9 (SIGKILL)')
    expect(describeExit(withCode(1))).toBe('exit 1')
    expect(describeExit({ exitCode: null, signal: null })).toBe('exit code unknown')
  })

  test.each<[string, ProcessExit, KillLedgerEntry[], string, string]>([
    ['normal', withCode(0), [], 'normal', 'exit 0'],
    ['failed', withCode(3), [], 'failed', 'exit 3'],
    // 137 is what a shell says of a child that was killed; it proves nothing of the shell itself.
    ['failed with 137', withCode(137), [], 'failed', 'exit 137'],
    [
      'ours by the very signal',
      by('SIGKILL'),
      [sent('SIGTERM'), sent('SIGKILL')],
      'ours',
      'exit -9 (SIGKILL), sent by us at 2024-05-31T12:00:00.000Z: stuck (asked by user)',
    ],
    [
      "ours, in the process' own way",
      withCode(0),
      [sent('SIGTERM'), sent('SIGCONT')],
      'ours',
      'exit 0 after SIGTERM, sent by us at 2024-05-31T12:00:00.000Z: stuck (asked by user)',
    ],
    ['external', by('SIGKILL'), [], 'external', 'exit -9 (SIGKILL), not sent by Unhang'],
    [
      'external, though we had sent another',
      by('SIGKILL'),
      [sent('SIGTERM')],
      'external',
      'exit -9 (SIGKILL), not sent by Unhang (which sent SIGTERM at 2024-05-31T12:00:00.000Z: stuck (asked by user))',
    ],
    [
      'external, as ours did not reach it',
      by('SIGKILL'),
      [sent('SIGKILL', 'reused')],
      'external',
      'exit -9 (SIGKILL), not sent by Unhang',
    ],
    ['its own doing', by('SIGPIPE'), [], 'crash', 'exit -13 (SIGPIPE), nobody read its output: not sent by Unhang'],
    ['a crash', by('SIGSEGV'), [], 'crash', 'exit -11 (SIGSEGV), a crash: not sent by Unhang'],
  ])('is %s', (_, exit, entries, kind, text) => {
    expect(explainExit(exit, entries)).toMatchObject({ kind, text })
  })
})
