import { describe, expect, test } from 'vitest'
import { exitedGroupRow, poolRow, taskRow, workerRow } from '../../../src/extension/text/rows'
import { poolIcon, workerIcon } from '../../../src/extension/view/icons'
import { workerTone } from '../../../src/extension/view/statusColors'
import { lostTask, noCounts, noProgress, poolHeader, programPool, task, watchedPool, worker } from './samples'

const now = 52_000

describe('A worker’s row', () => {
  test.each([
    ['a busy one', worker({ status: 'busy', task: task() }), 'pid 4211 · busy 40 s · resize(img_7.png)'],
    [
      'a stuck one',
      worker({ status: 'busy', task: task({ stuck: true, verdict: noProgress }) }),
      'pid 4211 · stuck 40 s · resize(img_7.png)',
    ],
    [
      'a slow one',
      worker({ status: 'busy', task: task({ verdict: { ...noProgress, code: 'slow' } }) }),
      'pid 4211 · slow 40 s · resize(img_7.png)',
    ],
    [
      'one that survived a SIGTERM',
      worker({ status: 'stopping', task: task({ stuck: true, verdict: noProgress }) }),
      'pid 4211 · stopping · stuck 40 s · resize(img_7.png)',
    ],
    ['an idle one', worker(), 'pid 4211 · idle'],
    ['one that has no process yet', worker({ pid: -1, status: 'starting' }), 'starting'],
    [
      'one that was killed in a task',
      worker({ status: 'exited', signal: 'SIGKILL', task: task({ label: 'resize(img_3.png)', state: 'lost' }) }),
      'exit -9 (SIGKILL) · resize(img_3.png) lost',
    ],
    [
      'one whose task a rescue put back',
      worker({ status: 'exited', exitCode: 1, task: task({ label: 'train(5)', state: 'queued' }) }),
      'exit 1 · train(5) runs again',
    ],
    ['one that left by itself', worker({ status: 'exited', exitCode: 0 }), 'exit 0'],
  ])('says in words what %s does', (_which, snapshot, expected) => {
    expect(workerRow(snapshot, now).description).toBe(expected)
  })

  test('says the same to a screen reader', () => {
    const row = workerRow(worker({ status: 'busy', task: task({ stuck: true, verdict: noProgress }) }), now)
    expect(row.accessibilityLabel).toBe('worker PoolWorker-1, pid 4211, stuck 40 s, resize(img_7.png)')
  })
})

describe('An icon', () => {
  test('warns of a stuck worker, also while it is being ended', () => {
    for (const status of ['busy', 'stopping'] as const)
      expect(workerIcon(worker({ status, task: task({ stuck: true }) })).icon).toBe('warning')
  })

  test('shows an orphaned pool as ended once its workers are', () => {
    expect(poolIcon(poolHeader({ orphaned: true })).icon).toBe('debug-disconnect')
    expect(poolIcon(poolHeader({ orphaned: true, state: 'ended', counts: { ...noCounts, lost: 1 } })).icon).toBe(
      'error',
    )
  })
})

describe('A pool’s row', () => {
  test('counts what there is and leaves out what there is not', () => {
    const counts = { ...noCounts, queued: 5, running: 3, stuck: 1, done: 4 }
    expect(poolRow(poolHeader({ counts, etaMs: 12_400 })).description).toBe(
      'running · 3 busy · 1 stuck · 4 of 12 done · 10 s left',
    )
  })

  test('says that a pool failed, is orphaned, or has issues', () => {
    expect(poolRow(poolHeader({ state: 'ended', failure: 'crash loop' })).description).toBe('failed')
    expect(poolRow(poolHeader(), 'backend').description).toBe('backend · running')
    expect(poolRow(poolHeader({ orphaned: true })).description).toBe('orphaned')
    expect(poolRow(poolHeader({ orphaned: true, state: 'ended', counts: { ...noCounts, lost: 2 } })).description).toBe(
      'ended · orphaned · 0 of 2 done · 2 lost',
    )
    expect(poolRow(poolHeader({ state: 'ended', issues: ['a', 'b'] })).description).toBe('ended · 2 issues')
  })
})

describe('The row of a program', () => {
  test.each([
    ['that runs', poolRow(programPool(), undefined, 2), 'pid 4700 · python 3.11.7 · 2 pools'],
    [
      'that has made no pool yet',
      poolRow(programPool({}, { observer: 'waiting', python: null })),
      'pid 4700 · no pool yet',
    ],
    [
      'that cannot be looked into',
      poolRow(programPool({}, { observer: 'failed', message: 'no room' }), undefined, 1),
      'pid 4700 · python 3.11.7 · 1 pool · not observed',
    ],
    [
      'that is attached',
      poolRow(programPool({ kind: 'attached' }, { observer: 'none', python: null, readOnly: true })),
      'pid 4700 · read-only',
    ],
    [
      'that has ended',
      poolRow(programPool({ state: 'ended' }, { exitCode: 3 }), undefined, 1),
      'exit 3 · python 3.11.7 · 1 pool',
    ],
    [
      'that was killed',
      poolRow(programPool({ state: 'ended' }, { signal: 'SIGKILL' })),
      'exit -9 (SIGKILL) · python 3.11.7',
    ],
    ['that is being ended', poolRow(programPool({ state: 'terminate' })), 'terminating · pid 4700 · python 3.11.7'],
  ])('%s says so', (_which, row, expected) => {
    expect(row.description).toBe(expected)
  })

  test('says the same to a screen reader', () => {
    expect(poolRow(programPool(), undefined, 2).accessibilityLabel).toBe(
      'program train.py, pid 4700, python 3.11.7, 2 pools',
    )
  })

  test('has the icon of what it is, of what is wrong in it, or of how it ended', () => {
    expect(poolIcon(programPool()).icon).toBe('terminal')
    expect(poolIcon(programPool(), true).icon).toBe('warning')
    expect(poolIcon(programPool({}, { readOnly: true })).icon).toBe('eye')
    expect(poolIcon(programPool({ state: 'ended' }, { exitCode: 0 }), true).icon).toBe('pass')
    expect(poolIcon(programPool({ state: 'ended' }, { exitCode: 1 })).icon).toBe('error')
  })
})

describe('The row of a pool in a program', () => {
  test('has the gravest verdict in short', () => {
    expect(poolRow(watchedPool({ counts: { ...noCounts, done: 11, lost: 1 } })).description).toBe(
      'running · stuck: lost task run(7) · 11 of 12 done · 1 lost',
    )
    expect(poolIcon(watchedPool()).icon).toBe('warning')
  })

  test('counts the others, and names what is stuck before what is not', () => {
    const threads = lostTask({ code: 'fork-with-threads', stuck: false, rescue: [], task: null })
    expect(
      poolRow(watchedPool({ verdicts: [threads, lostTask(), lostTask({ task: '8', rescue: [] })] })).description,
    ).toBe('running · stuck: lost task run(7), +1')
    expect(poolRow(watchedPool({ verdicts: [threads] })).description).toBe('running · fork with threads')
    expect(poolIcon(watchedPool({ verdicts: [threads] })).icon).toBe('server-process')
  })

  test('is quiet about a worker that had nothing to do and was told to go', () => {
    const told = worker({ status: 'exited', signal: 'SIGTERM' })
    expect([workerTone(told), workerIcon(told).color]).toEqual(['quiet', 'disabledForeground'])
    expect(workerTone(worker({ status: 'exited', signal: 'SIGTERM', task: task({ state: 'lost' }) }))).toBe('bad')
  })

  test('has no verdict once it has ended', () => {
    expect(poolRow(watchedPool({ state: 'ended' })).description).toBe('ended')
  })

  test('names what its pool says of a worker that has no task', () => {
    const stopped = lostTask({ code: 'stopped', worker: 'PoolWorker-1', pid: 4211, task: null })
    expect(workerRow(worker(), now, stopped).description).toBe('pid 4211 · idle · stopped')
    expect(workerIcon(worker(), stopped).icon).toBe('warning')
    expect(workerTone(worker(), stopped)).toBe('stuck')
  })
})

describe('A task’s row', () => {
  test('names the verdict', () => {
    expect(taskRow(task({ stuck: true, verdict: noProgress }), now).description).toBe(
      'running 40 s · stuck · no progress',
    )
    expect(taskRow(task({ state: 'timedOut' }), now).description).toBe('timed out')
  })
})

describe('The group of exited workers', () => {
  test('says when the host lists only the last ones', () => {
    expect(exitedGroupRow(3, 3).description).toBe('3')
    expect(exitedGroupRow(100, 5000).description).toBe('5000, the last 100 shown')
  })
})
