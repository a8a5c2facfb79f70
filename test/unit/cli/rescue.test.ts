import { describe, expect, it } from 'vitest'
import { CliError } from '../../../src/cli/errors'
import { rescuable, rescuePlans } from '../../../src/cli/rescue/plan'
import type { PoolSnapshot, RescueOptionSnapshot } from '../../../src/protocol'
import { deadLockHolder, lostTask, pool, programPool, watchedPool } from './snapshotBuilders'

const continued: RescueOptionSnapshot = { kind: 'continue', worker: 'ForkPoolWorker-4', pid: 4714 }
const pools = (...verdicts: PoolSnapshot['verdicts']): PoolSnapshot[] => [programPool(), watchedPool({ verdicts })]
const steps = (...given: Parameters<typeof rescuePlans>): string[] =>
  rescuePlans(...given).flatMap((plan) => plan.steps.map(({ text }) => text))

function failureOf(work: () => unknown): CliError {
  try {
    work()
  } catch (error) {
    if (error instanceof CliError) return error
  }
  throw new Error('no CliError')
}

describe('a rescue', () => {
  it('says exactly what it will do', () => {
    const found = rescuable(
      'train.py:42',
      undefined,
      pools(lostTask(), deadLockHolder(), lostTask({ code: 'stopped', rescue: [continued] })),
    )
    expect(steps(found, 'fail', 'train.py:42')).toEqual([
      "fail task 7 run(7), lost with ForkPoolWorker-3 (pid 4711): the program's call raises WorkerLost",
      'release the lock of the task queue, which ForkPoolWorker-2 (pid 4713) held when it died',
      'continue ForkPoolWorker-4 (pid 4714), which is stopped (SIGCONT)',
    ])
    expect(steps(found, 'retry', 'train.py:42')[0]).toBe(
      'run again task 7 run(7), lost with ForkPoolWorker-3 (pid 4711)',
    )
  })
  it('asks the host for the same', () => {
    const found = rescuable(
      'train.py:42',
      undefined,
      pools(lostTask(), deadLockHolder(), lostTask({ rescue: [continued] })),
    )
    expect(rescuePlans(found, 'retry', 'x')[0]!.steps.map(({ action }) => action)).toEqual([
      { kind: 'retry', task: '7' },
      { kind: 'release', lock: 'tasks' },
      { kind: 'continue', pid: 4714 },
    ])
  })
  it('does each thing once, however many verdicts propose it', () => {
    expect(
      steps(rescuable('train.py:42', undefined, pools(lostTask(), lostTask({ code: 'no-live-workers' }))), 'fail', 'x'),
    ).toHaveLength(1)
  })
  it('of a program is one of its pools', () => {
    expect(rescuable('train.py', undefined, pools(lostTask())).map((found) => found.pool.id)).toEqual(['watched-1'])
  })
  it('is of one task alone when it is named', () => {
    const found = rescuable('train.py:42', '7', pools(lostTask(), deadLockHolder()))
    expect(steps(found, 'fail', 'train.py:42')).toHaveLength(1)
  })
  it('lists the lost tasks when another one is named', () => {
    expect(failureOf(() => rescuable('train.py:42', '8', pools(lostTask()))).details).toEqual([
      'Lost tasks:',
      '7  run(7)',
    ])
  })
  it('does not choose for lost tasks: it names both ways', () => {
    const error = failureOf(() =>
      rescuePlans(rescuable('train.py:42', undefined, pools(lostTask())), undefined, 'train.py:42'),
    )
    expect(error.details.join('\n')).toMatch(/unhang rescue train\.py:42 --fail .*\n.*--retry/)
  })
  it('needs no choice for a lock', () => {
    expect(steps(rescuable('train.py:42', undefined, pools(deadLockHolder())), undefined, 'train.py:42')).toHaveLength(
      1,
    )
  })
  it('does nothing by halves when a task cannot run again', () => {
    const kept = lostTask({
      rescue: [{ kind: 'task', worker: 'w', pid: 2, task: '8', label: 'run(8)', retriable: false }],
    })
    const error = failureOf(() =>
      rescuePlans(rescuable('train.py:42', undefined, pools(lostTask(), kept)), 'retry', 'train.py:42'),
    )
    expect(error.message).toBe('task 8 cannot run again: the arguments were not kept')
    expect(error.details[0]).toContain('--fail --task 8')
  })
  it('says so when there is nothing to do', () => {
    expect(failureOf(() => rescuable('Stuck', undefined, [pool()])).message).toBe('there is nothing to rescue in Stuck')
    expect(failureOf(() => rescuable('train.py:42', undefined, [watchedPool({ state: 'ended' })])).message).toContain(
      'has already ended',
    )
  })
  it('is ambiguous where two pools have the name', () => {
    expect(
      failureOf(() =>
        rescuable('train.py:42', undefined, [watchedPool(), watchedPool({ id: 'watched-2' })]),
      ).details.join('\n'),
    ).toMatch(/watched-1 .*\n.*watched-2 /)
  })
})
