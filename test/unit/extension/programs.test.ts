import { describe, expect, test } from 'vitest'
import { nameOfProgram, programOfLine } from '../../../src/extension/programs/commandLine'
import { PoolCatalog } from '../../../src/extension/model/poolCatalog'
import { PoolStore } from '../../../src/extension/model/poolStore'
import { stuckOn, stuckPoolMemory } from '../../../src/extension/notify/stuckPools'
import { verdictMessage } from '../../../src/extension/notify/verdictMessage'
import { summaryLines, terminalExitCode, verdictLines } from '../../../src/extension/tasks/outcome'
import { programProgressLine } from '../../../src/extension/tasks/progressLine'
import { processList } from '../../../src/extension/text/attached'
import { processLines } from '../../../src/extension/text/processes'
import { stackText } from '../../../src/extension/stacks/stackText'
import { rescueReason, rescueText } from '../../../src/extension/text/verdicts'
import { poolTooltip, workerTooltip } from '../../../src/extension/view/tooltips'
import type { PoolSnapshot, ProcessStacks, ListedProcess } from '../../../src/protocol'
import { succeeded } from '../../../src/words'
import { full, lostTask, noCounts, pool, programPool, watchedPool, worker } from './samples'

// eslint-disable-next-line no-control-regex
const plain = (text: string): string => text.replaceAll(/\u001b\[[0-9;]*m/g, '')

function catalogOf(...pools: PoolSnapshot[]): PoolCatalog {
  const catalog = new PoolCatalog()
  const store = new PoolStore()
  catalog.addStore(store, 'demo')
  store.apply(full(pools))
  return catalog
}

describe('A command line', () => {
  test('is words where it needs no shell, so that the program is no shell’s child', () => {
    expect(programOfLine(' python3  train.py --epochs=3 ')).toEqual(['python3', 'train.py', '--epochs=3'])
  })
  test.each([
    'python3 train.py | tee log',
    'cd x && python3 a.py',
    'python3 "my file.py"',
    'python3 $FILE',
    'N=3 python3 a.py',
    'python3 *.py',
  ])('%s is left to a shell', (line) => {
    expect(programOfLine(line)).toBe(line)
  })
  test.each([
    [['python3', 'src/train.py', '--fast'], 'train.py'],
    [['/usr/bin/make', 'all'], 'make'],
    ['python3 train.py | tee log', 'train.py'],
    [['./train.py'], 'train.py'],
  ])('%j is called %s', (program, name) => {
    expect(nameOfProgram(program)).toBe(name)
  })
})

describe('The catalog of programs', () => {
  const catalog = catalogOf(programPool(), watchedPool(), pool())
  test('knows the program of a pool and the pools of a program', () => {
    expect(catalog.programOf(catalog.pool('watched-1')!)?.header.id).toBe('program-1')
    expect(catalog.programOf(catalog.pool('program-1')!)?.header.id).toBe('program-1')
    expect(catalog.programOf(catalog.pool('pool-1')!)).toBeUndefined()
    expect(catalog.poolsOf('program-1').map(({ header }) => header.id)).toEqual(['watched-1'])
  })
  test('counts what a pool waits for in vain as stuck, and a program not beside its pools', () => {
    expect(catalog.stuckCount).toBe(1)
    expect(catalog.countedPools.map(({ header }) => header.id).sort()).toEqual(['pool-1', 'watched-1'])
    expect(catalog.isStuck(catalog.pool('program-1')!)).toBe(true)
  })
  test('knows what can be rescued', () => {
    expect(catalog.rescuablePools.map(({ header }) => header.id)).toEqual(['watched-1'])
    expect(catalogOf(watchedPool({ state: 'ended' })).rescuablePools).toEqual([])
  })
})

describe('The hover', () => {
  test('over a pool has summary, evidence and advice in full', () => {
    const text = poolTooltip(watchedPool(), 2_000)
    expect(text).toContain('**Stuck: lost task** (certain)')
    expect(text).toContain('train.py:42 will wait for ever: task 7 run(7) was lost.')
    expect(text).toContain('- exit of ForkPoolWorker-3: exit 1')
    expect(text).toContain('_Fail the task, or run it again._')
  })
  test('over a pool with many verdicts stays a hover', () => {
    expect(
      poolTooltip(
        watchedPool({ verdicts: Array.from({ length: 9 }, (_, at) => lostTask({ task: String(at) })) }),
        2_000,
      ),
    ).toContain('… and 6 more')
  })
  test('over a program has its command line, and why nothing is seen inside', () => {
    expect(poolTooltip(programPool({}, { argv: ['python3', 'my_train.py', '<x>'] }), 2_000)).toContain(
      'python3 my_train.py \\<x\\>',
    )
    expect(poolTooltip(programPool({}, { observer: 'failed', message: 'no room in /tmp' }), 2_000)).toContain(
      'Nothing is seen inside it: no room in /tmp',
    )
    expect(poolTooltip(programPool({}, { readOnly: true }), 2_000)).toContain('Attached read-only')
  })
  test('over a worker has what its pool says of it', () => {
    expect(
      workerTooltip(worker({ name: 'ForkPoolWorker-3', pid: 4711, status: 'exited', exitCode: 1 }), 2_000, lostTask()),
    ).toContain('was lost')
  })
})

describe('What a rescue says', () => {
  const [option] = lostTask().rescue
  test('is exact', () => {
    expect(rescueText(option!, 'fail')).toBe('Fail task 7 run(7): the program’s call raises WorkerLost')
    expect(rescueText(option!, 'retry')).toBe('Run task 7 run(7) again')
    expect(rescueText({ kind: 'lock', lock: 'tasks', worker: 'w', pid: 2 }, undefined)).toBe(
      'Release the lock of the task queue',
    )
    expect(rescueText({ kind: 'continue', worker: 'w', pid: 2 }, undefined)).toBe('Continue w (SIGCONT)')
    expect(rescueReason(option!)).toBe('lost with ForkPoolWorker-3, pid 4711')
  })
})

describe('News of stuck pools', () => {
  const stuckIn = (...all: PoolSnapshot[]) => catalogOf(...all).pools.flatMap(stuckOn)
  const ids = new Set(['watched-1'])
  test('are told once', () => {
    const memory = stuckPoolMemory()
    memory.update([], ids)
    expect(memory.update(stuckIn(watchedPool()), ids)).toHaveLength(1)
    expect(memory.update(stuckIn(watchedPool()), ids)).toEqual([])
  })
  test('are news again when it was over in between, but not when its host was away', () => {
    const memory = stuckPoolMemory()
    memory.update(stuckIn(watchedPool()), ids)
    memory.update([], new Set())
    expect(memory.update(stuckIn(watchedPool()), ids)).toEqual([])
    memory.update(stuckIn(watchedPool({ verdicts: [] })), ids)
    expect(memory.update(stuckIn(watchedPool()), ids)).toHaveLength(1)
  })
  test('are none of what was so at the first look, of what is not stuck, ended or orphaned', () => {
    expect(stuckPoolMemory().update(stuckIn(watchedPool()), ids)).toEqual([])
    for (const quiet of [
      watchedPool({ verdicts: [lostTask({ stuck: false })] }),
      watchedPool({ state: 'ended' }),
      watchedPool({ orphaned: true }),
    ]) {
      expect(stuckIn(quiet)).toEqual([])
    }
  })
  test('are the verdict’s own sentence', () => {
    const stuck = [{ poolId: 'watched-1', verdict: lostTask() }]
    expect(verdictMessage(stuck, () => 'train.py:42')).toBe('train.py:42 will wait for ever: task 7 run(7) was lost.')
    expect(verdictMessage([...stuck, ...stuck, ...stuck], () => 'other.py:1')).toBe(
      'other.py:1: train.py:42 will wait for ever: task 7 run(7) was lost. (and 2 more)',
    )
  })
})

describe('The terminal of a program', () => {
  test('ends as the program does', () => {
    expect(terminalExitCode(programPool({}, { exitCode: 0 }))).toBe(0)
    expect(terminalExitCode(programPool({}, { exitCode: 7 }))).toBe(7)
    expect(terminalExitCode(programPool({}, { signal: 'SIGKILL' }))).toBe(137)
    expect(terminalExitCode(programPool({ failure: 'it could not be started' }))).toBe(1)
    expect(succeeded(programPool({}, { exitCode: 0 }))).toBe(true)
    expect(plain(summaryLines(programPool({}, { exitCode: 7 }), 3_200).join('\n'))).toBe('exit 7 after 3.2 s')
  })
  test('says what is wrong when it is known', () => {
    expect(verdictLines(lostTask()).map(plain)).toEqual([
      'Stuck: lost task — train.py:42 will wait for ever: task 7 run(7) was lost.',
      '  Fail the task, or run it again.',
    ])
  })
  test('has a progress line of all its pools together', () => {
    const counts = { ...noCounts, done: 3, running: 2, queued: 1, lost: 1 }
    expect(programProgressLine([watchedPool({ counts }), watchedPool({ counts, verdicts: [] })], 12_000, 80)).toBe(
      '2 pools · 6 of 14 done · 4 busy · 2 lost · 1 stuck · 12 s',
    )
    expect(programProgressLine([], 3_000, 80)).toBe('no pool · 3 s')
  })
})

describe('The process picker', () => {
  const process = (over: Partial<ListedProcess>): ListedProcess => ({
    pid: 10,
    parentPid: 1,
    command: 'python3 train.py',
    kind: 'python',
    inWorkspace: true,
    children: 0,
    poolWorkers: 0,
    ...over,
  })
  const shown = (...processes: ListedProcess[]): string[] =>
    processLines(processes).map((line) =>
      line.kind === 'heading' ? `# ${line.text}` : `${line.label} (${line.description})`,
    )

  test('lists the workspace first, children below their parents, pools before the rest', () => {
    expect(
      shown(
        process({ pid: 30, command: 'nginx', kind: 'other', inWorkspace: false, children: 2 }),
        process({ pid: 20, command: 'bash', kind: 'other' }),
        process({ pid: 10, children: 2, poolWorkers: 2 }),
        process({ pid: 11, parentPid: 10 }),
        process({ pid: 12, parentPid: 11, kind: 'node', command: 'node  x.js', children: 1 }),
      ),
    ).toEqual([
      '# In this workspace',
      'python3 train.py (pid 10 · Python · 2 pool workers)',
      '\u2003python3 train.py (pid 11 · Python)',
      '\u2003\u2003node x.js (pid 12 · Node.js · 1 child)',
      'bash (pid 20)',
      '# Elsewhere',
      'nginx (pid 30 · 2 children)',
    ])
  })
  test('has a program of the workspace with the terminal it was started from', () => {
    expect(
      shown(
        process({ pid: 20, command: 'bash', kind: 'other', inWorkspace: false }),
        process({ pid: 21, parentPid: 20 }),
      )[0],
    ).toBe('# In this workspace')
  })
  test('ends, whatever a process says of its parent', () => {
    expect(
      shown(process({ pid: 1, parentPid: 1 }), process({ pid: 2, parentPid: 3 }), process({ pid: 3, parentPid: 2 })),
    ).toHaveLength(2)
  })
  test('cuts a long command line and shows that there is none', () => {
    expect(shown(process({ command: 'x'.repeat(500) }))[1]).toMatch(/^x{99}… /)
    expect(shown(process({ command: '' }))[1]).toMatch(/^\(no command line\)/)
  })
})

describe('A stack document', () => {
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
          { file: '/w/train.py', line: 7, function: 'run', code: '  time.sleep(600)' },
          { file: '<frozen runpy>', line: 88, function: '_run_code', code: '' },
        ],
      },
    ],
  }
  test('reads as a traceback and links the files', () => {
    const { text, links } = stackText(stacks, 'ForkPoolWorker-3', '13:02:11')
    const lines = text.split('\n')
    expect(lines.slice(3)).toEqual([
      'Thread MainThread (most recent call first):',
      '  File "/w/train.py", line 7, in run',
      '    time.sleep(600)',
      '  File "<frozen runpy>", line 88, in _run_code',
      '',
    ])
    expect(links).toHaveLength(1)
    const [{ line, start, end, file, fileLine }] = links as [(typeof links)[number]]
    expect([lines[line]!.slice(start, end), file, fileLine]).toEqual(['/w/train.py", line 7', '/w/train.py', 7])
  })
  test('says what is to be known of it', () => {
    expect(stackText({ ...stacks, threads: [], note: 'is in C code and holds the GIL' }, 'w', 'now').text).toContain(
      'is in C code and holds the GIL\n\nNo Python or JavaScript frames.',
    )
  })
  test('keeps its lines, whatever a program calls its functions', () => {
    const frame = { file: '/w/a\nb.py', line: 1, function: 'x\ny', code: '' }
    const { text, links } = stackText({ ...stacks, threads: [{ id: '1', name: 'a\nb', frames: [frame] }] }, 'w', 'now')
    expect(text.split('\n')).toHaveLength(6)
    expect(links).toEqual([])
  })
})

describe('The question before an attached program is ended', () => {
  test('names every process', () => {
    expect(
      processList([
        { pid: 10, name: 'train.py' },
        { pid: 11, name: '' },
      ]),
    ).toBe('pid 10: train.py\npid 11')
    const many = Array.from({ length: 200 }, (_, at) => ({ pid: 1000 + at, name: 'w' }))
    for (const { pid } of many) expect(processList(many)).toContain(String(pid))
    expect(processList(many).split('\n')).toHaveLength(1)
  })
})
