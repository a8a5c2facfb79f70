import { describe, expect, test } from 'vitest'
import { planText } from '../../../src/extension/text/shutdownPlan'
import type { ShutdownPlanWire } from '../../../src/protocol'

const planned = (step: number, pid: number): ShutdownPlanWire['processes'][number] => ({
  step,
  pid,
  name: `worker-${pid}`,
  command: 'python3',
  after: null,
  asked: false,
  signals: ['SIGTERM'],
  answer: 'ends at SIGTERM',
})
const plan = (...processes: ShutdownPlanWire['processes']): ShutdownPlanWire => ({
  subject: { id: 'program-1', name: 'train.py' },
  gracePeriodMs: 100,
  processes,
})

describe('what a question says of a shutdown', () => {
  test('is a line for each process in the order of the signals, and what its parent makes of it', () => {
    expect(planText([{ ...plan(planned(1, 10), planned(2, 11)), consequence: 'The pool goes on.' }])).toBe(
      [
        'In this order, each step once the one above it has ended:',
        '1. worker-10, pid 10: ends at SIGTERM',
        '2. worker-11, pid 11: ends at SIGTERM',
        'The pool goes on.',
      ].join('\n'),
    )
  })

  test('leaves the buttons on the screen, and says how many more there are', () => {
    const lines = planText([plan(...Array.from({ length: 40 }, (_, index) => planned(2, 100 + index)))]).split('\n')
    expect(lines).toHaveLength(17)
    expect(lines.at(-1)).toBe('… and 25 more')
  })

  test('is nothing where nothing would be signalled', () => {
    expect(planText([plan()])).toBe('')
  })

  test('cannot be broken by the name of a process', () => {
    expect(planText([plan({ ...planned(1, 10), name: 'a\n2. init' })]).split('\n')).toHaveLength(2)
  })
})
