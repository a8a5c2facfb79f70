import { describe, expect, it } from 'vitest'
import { programTree, namedPids } from '../../../src/cli/attach/text'
import { exitOf } from '../../../src/cli/commands/run'
import { VerdictNotes } from '../../../src/cli/run/verdictNotes'
import { stacksText } from '../../../src/cli/stacks/text'
import { poolWord, shellWord } from '../../../src/cli/words/shell'
import type { ProcessStacks } from '../../../src/protocol'
import { lostTask, noProgress, programPool, task, watchedPool, worker } from './snapshotBuilders'

describe('how run ends', () => {
  it('is with the exit code of the program', () => {
    expect(exitOf({ exitCode: 7, signal: null })).toBe(7)
  })
  it('is by its signal, so that the shell says the same', () => {
    expect(exitOf({ exitCode: null, signal: 'SIGKILL' })).toBe('SIGKILL')
  })
  it('is without a core file of ours where the signal leaves one', () => {
    expect(exitOf({ exitCode: null, signal: 'SIGSEGV' })).toBe(139)
  })
})

describe('notes beside a program', () => {
  const program = programPool()

  it('say once what is stuck and what to type', () => {
    const notes = new VerdictNotes()
    expect(notes.observe([program, watchedPool()])).toEqual([
      'stuck (lost-task): train.py:42 will wait for ever: task 7 run(7) was lost.',
      '  Fail the task, or run it again.',
      '  unhang rescue train.py:42 --fail --task 7  # the program gets an exception for task 7',
      '  unhang rescue train.py:42 --retry --task 7  # task 7 runs again',
    ])
    expect(notes.observe([program, watchedPool()])).toEqual([])
  })
  it('say once when it is over', () => {
    const notes = new VerdictNotes()
    notes.observe([program, watchedPool()])
    expect(notes.observe([program, watchedPool({ verdicts: [] })])).toEqual(['train.py:42 is not stuck any more'])
    expect(notes.observe([program, watchedPool({ verdicts: [] })])).toEqual([])
  })
  it('say nothing of what is not stuck, nor of a pool that ended', () => {
    const notes = new VerdictNotes()
    expect(notes.observe([program, watchedPool({ verdicts: [lostTask({ stuck: false })] })])).toEqual([])
    notes.observe([program, watchedPool()])
    expect(notes.observe([program, watchedPool({ state: 'ended', verdicts: [] })])).toEqual([])
  })
  it('keep quiet while something else is still stuck', () => {
    const notes = new VerdictNotes()
    notes.observe([program, watchedPool({ verdicts: [lostTask(), lostTask({ task: '8' })] })])
    expect(notes.observe([program, watchedPool({ verdicts: [lostTask({ task: '8' })] })])).toEqual([])
  })
  it('have the tasks of workers too', () => {
    const stuck = watchedPool({
      verdicts: [],
      workers: [worker({ status: 'busy', task: task({ stuck: true, verdict: noProgress }) })],
    })
    expect(new VerdictNotes().observe([program, stuck])[0]).toMatch(/^stuck \(no-progress\)/)
  })
  it('have what to type below what it is about', () => {
    const stuck = lostTask({ ...noProgress, pid: 4713, task: '8', rescue: [] })
    expect(new VerdictNotes().observe([program, watchedPool({ verdicts: [stuck, lostTask()] })])).toEqual([
      'stuck (no-progress): It has used no CPU and printed nothing for 9 s.',
      '  Look at what it waits for.',
      '  unhang stacks 4713  # where it is',
      'stuck (lost-task): train.py:42 will wait for ever: task 7 run(7) was lost.',
      '  Fail the task, or run it again.',
      '  unhang rescue train.py:42 --fail --task 7  # the program gets an exception for task 7',
      '  unhang rescue train.py:42 --retry --task 7  # task 7 runs again',
    ])
  })
  it('count what is too much to tell', () => {
    const lost = Array.from({ length: 10 }, (_, at) => lostTask({ task: String(at) }))
    expect(new VerdictNotes().observe([program, watchedPool({ verdicts: lost })]).join('\n')).toContain(
      '  and 7 more: unhang why train.py:42\n  unhang rescue train.py:42',
    )
  })
})

describe('notes of what --on-stuck does', () => {
  const program = programPool()
  const acted = { programId: 'program-1', poolId: 'watched-1', name: 'train.py:42', what: [], verdicts: [lostTask()] }
  const why = 'stuck (lost-task): train.py:42 will wait for ever: task 7 run(7) was lost.'

  it('say why and by what the program is ended, and offer nothing that comes too late', () => {
    const notes = new VerdictNotes('kill')
    expect(notes.acted({ ...acted, onStuck: 'kill', outcome: 'ends' }, 'train.py')).toEqual([
      why,
      'train.py is ended by --on-stuck kill',
    ])
    expect(notes.observe([program, watchedPool()])).toEqual([])
    expect(notes.observe([program, watchedPool({ verdicts: [] })])).toEqual([])
  })
  it('do not say again what was said before', () => {
    const notes = new VerdictNotes('terminate')
    expect(notes.observe([program, watchedPool()])).toEqual([why])
    expect(notes.acted({ ...acted, onStuck: 'terminate', outcome: 'ends' }, 'train.py')).toEqual([
      'train.py is ended by --on-stuck terminate',
    ])
  })
  it('say what runs again, and when it does not any more', () => {
    const notes = new VerdictNotes('retry')
    expect(
      notes.acted(
        { ...acted, onStuck: 'retry', outcome: 'retried', what: ['run(7) is in the queue again'] },
        'train.py',
      ),
    ).toEqual([why, 'train.py:42: run(7) is in the queue again (by --on-stuck retry)'])
    expect(notes.observe([program, watchedPool({ verdicts: [] })])).toEqual(['train.py:42 is not stuck any more'])
    expect(notes.acted({ ...acted, onStuck: 'retry', outcome: 'gaveUp', what: ['run(7)'] }, 'train.py')).toEqual([
      why,
      '  Fail the task, or run it again.',
      'train.py:42: --on-stuck retry gives up on run(7): unhang why train.py:42',
    ])
  })
  it('count what is too much to tell', () => {
    const what = Array.from({ length: 10 }, (_, at) => `run(${at}) is in the queue again`)
    expect(
      new VerdictNotes('retry').acted({ ...acted, onStuck: 'retry', outcome: 'retried', what }, 'train.py').at(-1),
    ).toMatch(/^train\.py:42: run\(0\).*; run\(2\) is in the queue again and 7 more \(by --on-stuck retry\)$/)
  })
})

describe('stacks as text', () => {
  const stacks: ProcessStacks = {
    pid: 4711,
    name: 'ForkPoolWorker-3',
    source: 'observer',
    note: null,
    threads: [
      {
        id: '1',
        name: 'MainThread',
        frames: [
          { file: '/w/train.py', line: 7, function: 'run', code: '    time.sleep(600)' },
          { file: '/usr/lib/python3.11/multiprocessing/pool.py', line: 125, function: 'worker', code: '' },
        ],
      },
    ],
  }
  it('are the lines that editors link, innermost first', () => {
    expect(stacksText(stacks).split('\n')).toEqual([
      'ForkPoolWorker-3  pid 4711  source: in-process observer',
      '',
      'Thread MainThread (most recent call first):',
      '  File "/w/train.py", line 7, in run',
      '    time.sleep(600)',
      '  File "/usr/lib/python3.11/multiprocessing/pool.py", line 125, in worker',
    ])
  })
  it('have what is to be known about them', () => {
    expect(stacksText({ ...stacks, threads: [], note: 'is in C code and holds the GIL' })).toContain(
      'is in C code and holds the GIL\nNo Python or JavaScript frames.',
    )
  })
})

describe('an attached program', () => {
  it('is shown with every process that has a name', () => {
    const program = programPool(
      { kind: 'attached', workers: [worker({ name: 'python3', pid: 4799 })] },
      { readOnly: true, observer: 'none' },
    )
    const pools = [
      program,
      watchedPool({ workers: [worker({ pid: 4712 }), worker({ name: 'PoolWorker-2', pid: 4713, status: 'exited' })] }),
    ]
    expect(programTree(program, pools)).toEqual([
      'train.py  program-1  pid 4700, python 3.11.7, 1 pool, attached, read-only',
      '  4799  python3  idle',
      '  train.py:42  watched-1  1 worker',
      '    4712  PoolWorker-1  idle',
    ])
    expect([...namedPids(program, pools)]).toEqual([
      [4799, 'python3'],
      [4712, 'PoolWorker-1'],
      [4700, 'train.py'],
    ])
  })
})

describe('what to type for a pool', () => {
  it.each([
    ['train.py:42', 'train.py:42'],
    ['my pool', "'my pool'"],
    ["it's", "'it'\\''s'"],
    ['4711', 'watched-1'],
    ['-x', 'watched-1'],
    ['a\x1bb', 'watched-1'],
  ])('%j is %s', (name, word) => {
    expect(poolWord(watchedPool({ name }), [watchedPool({ name })])).toBe(word)
  })
  it('quotes for a shell only what needs it', () => {
    expect(shellWord('/w/train.py')).toBe('/w/train.py')
  })
})
