import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TargetError } from '../../../src/cli/errors'
import { paletteFor } from '../../../src/cli/output/palette'
import { whyJson } from '../../../src/cli/why/json'
import { poolsAsked } from '../../../src/cli/why/scope'
import { whyText } from '../../../src/cli/why/text'
import {
  counts,
  deadLockHolder,
  lostTask,
  noProgress,
  pool,
  programPool,
  slow,
  task,
  watchedPool,
  worker,
} from './snapshotBuilders'

const program = programPool()

describe('why', () => {
  it('says what is stuck, why, what shows it, and what to type', () => {
    const pools = [program, watchedPool()]
    expect(whyText(pools, pools).split('\n')).toEqual([
      'train.py:42  watched-1  in train.py (pid 4700)',
      '  stuck (lost-task): train.py:42 will wait for ever: task 7 run(7) was lost.',
      '    exit of ForkPoolWorker-3: exit 1',
      '    Fail the task, or run it again.',
      '      unhang rescue train.py:42 --fail --task 7   # the program gets an exception for task 7',
      '      unhang rescue train.py:42 --retry --task 7  # task 7 runs again',
    ])
  })
  it('proposes no second run where the arguments were not kept', () => {
    const pools = [
      program,
      watchedPool({
        verdicts: [
          lostTask({ rescue: [{ kind: 'task', worker: 'w', pid: 1, task: '7', label: 'run(7)', retriable: false }] }),
        ],
      }),
    ]
    expect(whyText(pools, pools)).not.toContain('--retry')
  })
  it('proposes to rescue many lost tasks at once, and how to pick one', () => {
    const rescue = Array.from({ length: 20 }, (_, at) => ({
      kind: 'task' as const,
      worker: 'w',
      pid: 1,
      task: String(at),
      label: `run(${at})`,
      retriable: true,
    }))
    const pools = [program, watchedPool({ verdicts: [lostTask({ rescue })] })]
    expect(
      whyText(pools, pools)
        .split('\n')
        .filter((line) => line.includes('unhang rescue')),
    ).toEqual([
      '      unhang rescue train.py:42 --fail           # the program gets an exception for all 20 lost tasks',
      '      unhang rescue train.py:42 --retry          # all 20 lost tasks run again',
      '      unhang rescue train.py:42 --fail --task 0  # only that one',
    ])
  })
  it('proposes to release a lock without asking what becomes of tasks', () => {
    const pools = [program, watchedPool({ verdicts: [deadLockHolder()] })]
    expect(whyText(pools, pools)).toContain('unhang rescue train.py:42  # the lock of the task queue is released')
  })
  it('names a pool by its id where two have its name', () => {
    const pools = [program, watchedPool(), watchedPool({ id: 'watched-2' })]
    expect(whyText(pools, pools)).toContain('unhang rescue watched-2 --fail')
  })
  it('proposes one command for several lost tasks, and says the same advice once', () => {
    const other = lostTask({
      task: '8',
      rescue: [{ kind: 'task', worker: 'w', pid: 1, task: '8', label: 'run(8)', retriable: true }],
    })
    const pools = [program, watchedPool({ verdicts: [lostTask(), other, deadLockHolder()] })]
    const text = whyText(pools, pools)
    expect(text).toContain(
      'unhang rescue train.py:42 --fail           # the program gets an exception for both lost tasks, the lock ' +
        'of the task queue is released',
    )
    expect(text).toContain(
      'unhang rescue train.py:42 --retry          # both lost tasks run again, the lock of the task queue is released',
    )
    expect(text).toContain('unhang rescue train.py:42 --fail --task 7  # only that one')
    expect(text.match(/Fail the task, or run it again/g)).toHaveLength(1)
  })
  it('has the commands of each verdict below it', () => {
    const ignored = lostTask({
      code: 'sigterm-ignored',
      summary: 'ForkPoolWorker-4 ignores SIGTERM.',
      evidence: [],
      advice: 'Kill it.',
      pid: 4714,
      rescue: [],
    })
    const pools = [
      program,
      watchedPool({ verdicts: [lostTask({ evidence: [] }), deadLockHolder({ evidence: [] }), ignored] }),
    ]
    expect(whyText(pools, pools).split('\n').slice(1)).toEqual([
      '  stuck (lost-task): train.py:42 will wait for ever: task 7 run(7) was lost.',
      '    Fail the task, or run it again.',
      '      unhang rescue train.py:42 --fail --task 7   # the program gets an exception for task 7',
      '      unhang rescue train.py:42 --retry --task 7  # task 7 runs again',
      '  stuck (orphaned-queue-lock): Nobody can take a task.',
      '    Release the lock.',
      '      unhang rescue train.py:42 --fail   # the program gets an exception for task 7, the lock of the task ' +
        'queue is released',
      '      unhang rescue train.py:42 --retry  # task 7 runs again, the lock of the task queue is released',
      '  stuck (sigterm-ignored): ForkPoolWorker-4 ignores SIGTERM.',
      '    Kill it.',
      '      unhang kill 4714  # end this worker with SIGKILL',
    ])
  })
  it('proposes to look at the stack of what makes no progress', () => {
    const pools = [program, watchedPool({ verdicts: [{ ...lostTask({ ...noProgress, rescue: [] }) }] })]
    expect(whyText(pools, pools).split('\n').slice(-2)).toEqual([
      '      unhang stacks 4711         # where it is',
      '      unhang terminate train.py  # end the program',
    ])
  })
  it('proposes to end a program that nothing can rescue', () => {
    const pools = [program, watchedPool({ verdicts: [lostTask({ code: 'self-wait', rescue: [] })] })]
    expect(whyText(pools, pools)).toContain('unhang terminate train.py  # end the program')
  })
  it('has the verdicts of ordinary pools too', () => {
    const pools = [
      pool({
        counts: counts({ running: 1, stuck: 1 }),
        workers: [worker({ status: 'busy', task: task({ stuck: true, verdict: noProgress }) })],
      }),
    ]
    const text = whyText(pools, pools)
    expect(text).toContain('stuck (no-progress): It has used no CPU and printed nothing for 9 s. (likely)')
    expect(text).toContain('unhang terminate 4211')
  })
  it('tells slow from stuck, and says that nothing is stuck', () => {
    const pools = [
      pool({
        workers: [worker({ status: 'busy', task: task({ verdict: slow }) })],
        counts: counts({ running: 1, done: 2 }),
      }),
    ]
    expect(whyText(pools, pools)).toMatch(
      /slow, not stuck: .*\n[^]*nothing is stuck\n {2}Stuck {2}pool-3fa9c1 {2}2 of 3 done, 1 running$/,
    )
  })
  it('lists each program with its pools below it, and counts what is not theirs', () => {
    const healthy = (id: string, programId: string) =>
      watchedPool({ id, programId, verdicts: [], counts: counts({ done: 1 }) })
    const pools = [
      programPool({ workers: [worker({ name: 'MainProcess', pid: 4700 })] }),
      programPool(
        {
          id: 'program-2',
          name: 'other.py',
          workers: [worker({ name: 'MainProcess', pid: 4800 }), worker({ pid: 4801 })],
        },
        { pid: 4800 },
      ),
      healthy('watched-2', 'program-2'),
      healthy('watched-1', 'program-1'),
    ]
    expect(whyText(pools, pools).split('\n')).toEqual([
      'nothing is stuck',
      '  train.py  program-1  pid 4700, python 3.11.7, 1 pool',
      '  train.py:42  watched-1  in train.py (pid 4700)  1 of 1 done',
      '  other.py  program-2  pid 4800, python 3.11.7, 1 pool  1 process of its own',
      '  train.py:42  watched-2  in other.py (pid 4800)  1 of 1 done',
    ])
  })
  it('does not claim that nothing is stuck where it cannot look', () => {
    const pools = [programPool({}, { python: null, observer: 'failed', message: 'Python 3.7; 3.8 or later is needed' })]
    expect(whyText(pools, pools)).toBe(
      'nothing is known to be stuck\n  train.py  program-1  pid 4700, not observed: Python 3.7; 3.8 or later is needed',
    )
  })
  it('says so when nothing runs', () => {
    expect(whyText([], [])).toBe('nothing is stuck: no pool runs here')
  })
  it('tells the first ones of a thousand lost tasks', () => {
    const pools = [
      program,
      watchedPool({ verdicts: Array.from({ length: 1000 }, (_, at) => lostTask({ task: String(at) })) }),
    ]
    expect(whyText(pools, pools)).toContain('… and 980 more (unhang why --json)')
  })
  it('lets no name of a program reach the terminal as a command', () => {
    const pools = [program, watchedPool({ name: 'x\x1b[2J:1', verdicts: [lostTask({ summary: 'a\nb\x1b[31m' })] })]
    // eslint-disable-next-line no-control-regex
    expect(whyText(pools, pools)).not.toMatch(/\x1b/)
  })
  it('says the same in colours', () => {
    const pools = [program, watchedPool()]
    expect(stripVTControlCharacters(whyText(pools, pools, paletteFor({ isTTY: true }, {})))).toBe(whyText(pools, pools))
  })
})

describe('why of one thing', () => {
  const pools = [program, watchedPool(), pool()]
  it.each([
    ['train.py:42', ['watched-1']],
    ['watched-1', ['watched-1']],
    ['train.py', ['program-1', 'watched-1']],
    ['4700', ['program-1', 'watched-1']],
    ['4712', ['watched-1']],
    ['4711', ['watched-1']],
    ['pid:4211', ['pool-3fa9c1']],
  ])('%s means %j', (text, ids) => {
    expect(poolsAsked(text, pools).map(({ id }) => id)).toEqual(ids)
  })
  it('leaves ended pools out unless they are named', () => {
    const ended = watchedPool({ state: 'ended' })
    expect(poolsAsked(undefined, [ended, pool()]).map(({ id }) => id)).toEqual(['pool-3fa9c1'])
    expect(poolsAsked('train.py:42', [ended]).map(({ id }) => id)).toEqual(['watched-1'])
  })
  it('is an error for what nothing is called', () => {
    expect(() => poolsAsked('nothing', pools)).toThrow(TargetError)
  })
})

describe('why --json', () => {
  it('has exactly the documented keys', () => {
    const messages = { summary: 'It waits.', evidence: [], advice: '' }
    const { pools } = whyJson([watchedPool({ verdicts: [lostTask({ messages })] })])
    expect(Object.keys(pools[0]!)).toEqual(['id', 'name', 'kind', 'programId', 'verdicts'])
    expect(Object.keys(pools[0]!.verdicts[0]!)).toEqual([
      'code',
      'stuck',
      'summary',
      'evidence',
      'advice',
      'confidence',
      'worker',
      'pid',
      'task',
      'rescue',
    ])
  })
  it('has what is stuck first, in one shape for pools and tasks', () => {
    const { pools } = whyJson([
      pool({
        verdicts: [lostTask({ stuck: false, code: 'fork-with-threads' })],
        workers: [worker({ status: 'busy', task: task({ stuck: true, verdict: noProgress }) })],
      }),
    ])
    expect(pools[0]!.verdicts.map(({ code, pid, task: id }) => [code, pid, id])).toEqual([
      ['no-progress', 4211, 'task-1'],
      ['fork-with-threads', 4711, '7'],
    ])
  })
})
