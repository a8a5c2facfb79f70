import { describe, expect, test } from 'vitest'
import { parseStacks } from '../../../../src/host/programs/stacks/signalStack'

describe('what faulthandler writes', () => {
  test('is read as threads with their frames, innermost first', () => {
    const text = [
      'Thread 0x00007f30b97fa640 (most recent call first):',
      '  File "/usr/lib/python3.11/selectors.py", line 415 in select',
      '',
      'Current thread 0x00007f30c1d5a740 (most recent call first):',
      '  File "/w/my file, line 3.py", line 12 in run <locals>',
      '  File "/w/train.py", line 20 in <module>',
      '',
    ].join('\n')
    expect(parseStacks(text)).toEqual([
      {
        id: '0x00007f30b97fa640',
        current: false,
        frames: [{ file: '/usr/lib/python3.11/selectors.py', line: 415, function: 'select' }],
      },
      {
        id: '0x00007f30c1d5a740',
        current: true,
        frames: [
          { file: '/w/my file, line 3.py', line: 12, function: 'run <locals>' },
          { file: '/w/train.py', line: 20, function: '<module>' },
        ],
      },
    ])
  })

  test('cut off or garbage is read as far as it makes sense', () => {
    expect(
      parseStacks('garbage\n  File "x", line 1 in f\nThread 0x1 (most recent call first):\n  File "y", li'),
    ).toEqual([{ id: '0x1', current: false, frames: [] }])
  })
})
