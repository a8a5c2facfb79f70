import { describe, expect, test } from 'vitest'
import { planLines } from '../../../src/cli/ending/planText'
import type { ShutdownPlanWire } from '../../../src/protocol'

const plan: ShutdownPlanWire = {
  subject: { id: 'program-1', name: 'train.py' },
  gracePeriodMs: 100,
  processes: [
    {
      step: 1,
      pid: 4711,
      name: 'MainProcess',
      command: 'python3',
      after: null,
      asked: false,
      signals: ['SIGTERM', 'SIGKILL'],
      answer: 'handles SIGTERM, and has 100 ms for that; then SIGKILL follows',
    },
    {
      step: 2,
      pid: 4712,
      name: 'Process-1',
      command: 'python3',
      after: { name: 'MainProcess', pid: 4711 },
      asked: true,
      signals: ['SIGTERM', 'SIGKILL'],
      answer: 'ends at SIGTERM',
    },
    {
      step: 2,
      pid: 4713,
      name: 'Process-2',
      command: 'python3',
      after: { name: 'MainProcess', pid: 4711 },
      asked: false,
      signals: [],
      answer: 'is dead already',
    },
  ],
}

describe('the lines of a dry run', () => {
  test('have a row for each process: its step, its signals, what must have ended before, and how it answers', () => {
    expect(planLines(plan, 'program train.py')).toEqual([
      'program train.py: 2 processes, in this order, each step once the one above it has ended',
      '  1.  4711  MainProcess  python3  SIGTERM, SIGKILL       handles SIGTERM, and has 100 ms for that; then ' +
        'SIGKILL follows',
      '  2.  4712  Process-1    python3  ask, SIGTERM, SIGKILL  after MainProcess: ends at SIGTERM',
      '  2.  4713  Process-2    python3  –                      after MainProcess: is dead already',
    ])
  })

  test('say so where there is nothing to signal', () => {
    expect(planLines({ ...plan, processes: [] }, 'program train.py')).toEqual([
      'program train.py: no process to signal',
    ])
  })
})
