import { describe, expect, test } from 'vitest'
import { failuresTable } from '../../../src/extension/tasks/failuresTable'
import { launchParams, userEnvironment } from '../../../src/extension/tasks/launchParams'
import { errorLines, summaryLines, workerLine } from '../../../src/extension/tasks/outcome'
import { OutputLines, cleanLine } from '../../../src/extension/tasks/outputLines'
import { progressLine } from '../../../src/extension/tasks/progressLine'
import { TerminalScreen } from '../../../src/extension/tasks/screen'
import type { TaskFailure } from '../../../src/protocol'
import { plainLine, succeeded } from '../../../src/words'
import { noCounts, poolHeader } from './samples'

const escape = '\u001b'

describe('Lines of output', () => {
  test('are put together from chunks', () => {
    const lines = new OutputLines()
    expect(lines.push('one\ntw')).toEqual(['one'])
    expect(lines.push('o\r\nthr')).toEqual(['two'])
    expect(lines.flush()).toEqual(['thr'])
    expect(lines.flush()).toEqual([])
  })

  test('show what a progress bar shows at the end', () => {
    expect(cleanLine(' 10 %\r 50 %\r100 %')).toBe('100 %')
  })

  test('keep colours and end them, and lose what moves the cursor or retitles the terminal', () => {
    expect(cleanLine(`${escape}[31mred${escape}[2K${escape}[1A`)).toBe(`${escape}[31mred${escape}[0m`)
    expect(cleanLine(`${escape}]0;title\u0007text`)).toBe('text')
    expect(cleanLine(`a\u0007b${escape}cc`)).toBe('abc')
  })

  test('do not grow without end', () => {
    const lines = new OutputLines()
    expect(lines.push('x'.repeat(20_000))).toHaveLength(1)
    expect(lines.flush()).toEqual([])
  })
})

describe('The screen', () => {
  test('prints above the status line and draws it again', () => {
    const written: string[] = []
    const screen = new TerminalScreen((text) => written.push(text))
    screen.status('1 of 2')
    screen.print('hello', 'two\nlines')
    screen.clearStatus()
    expect(written).toEqual([
      `\r${escape}[2K${escape}[2m1 of 2${escape}[22m`,
      `\r${escape}[2Khello\r\ntwo\r\nlines\r\n${escape}[2m1 of 2${escape}[22m`,
      `\r${escape}[2K`,
    ])
  })

  test('does not write a status that did not change', () => {
    const written: string[] = []
    const screen = new TerminalScreen((text) => written.push(text))
    screen.status('same')
    screen.status('same')
    expect(written).toHaveLength(1)
  })
})

describe('Control characters', () => {
  /**
   * Retitles the terminal, clears it, goes to the line's start, colours what follows (in both ways to write it), and
   * fakes a line.
   */
  const evil = 'x\u001b]0;title\u0007\u001b[2J\r\u009b31m\u001b[31m\ny'
  // eslint-disable-next-line no-control-regex
  const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
  // eslint-disable-next-line no-control-regex
  const withoutOurStyles = (line: string): string => line.replace(/\u001b\[(?:1|2|22|3[0-9]|9[0-9])m/g, '')

  test('of names and messages are not in the lines that are ours, and make up none', () => {
    const header = poolHeader({ name: evil, failure: evil, issues: [evil], counts: { ...noCounts, lost: 1 } })
    const table = failuresTable(
      {
        failures: [
          {
            taskId: 't',
            label: evil,
            state: 'lost',
            message: evil,
            worker: evil,
            pid: 1,
            exitCode: 1,
            signal: null,
            elapsedMs: 1,
            attempts: 1,
            stdoutPath: null,
            stderrPath: null,
          },
        ],
        total: 1,
      },
      200,
    )
    const problems = errorLines(Object.assign(new Error(), { data: { problems: [{ key: 'items', message: evil }] } }))
    for (const line of [
      ...summaryLines(header, 0),
      ...table,
      ...problems,
      ...errorLines(new Error(evil)),
      workerLine(evil, 'stdout', ''),
    ]) {
      expect(withoutOurStyles(line)).not.toMatch(controls)
      expect(line).not.toContain('\n')
    }
    expect(plainLine(evil)).toBe('x 31m y')
  })

  test('do not pass the screen, whoever prints them; colours do', () => {
    const written: string[] = []
    const screen = new TerminalScreen((text) => written.push(text))
    screen.print(`${escape}[2Ja\rb\u009b2Jc`, `${escape}[31mred${escape}[0m`)
    screen.status(`${escape}[1A1 of 2`)
    expect(written).toEqual([
      `a b2Jc\r\n${escape}[31mred${escape}[0m\r\n`,
      `\r${escape}[2K${escape}[2m1 of 2${escape}[22m`,
    ])
  })
})

describe('The progress line', () => {
  const counts = { ...noCounts, queued: 2, running: 3, stuck: 1, done: 6, failed: 1 }

  test('counts, and tells how long it takes', () => {
    expect(progressLine(poolHeader({ counts, etaMs: 12_000 }), 65_000, 200)).toBe(
      '[███████████░░░░░░░░░] 7 of 12 · 3 busy · 1 stuck · 1 not done · 1 min 5 s · 12 s left',
    )
  })

  test('never fills the last column', () => {
    expect(progressLine(poolHeader({ counts }), 0, 30)).toHaveLength(29)
    expect(progressLine(poolHeader({ counts }), 0, 1)).toHaveLength(1)
  })
})

describe('The table of failures', () => {
  const failure: TaskFailure = {
    taskId: 't',
    label: 'resize(img_3.png)',
    state: 'lost',
    message: 'Worker died\nstack',
    worker: 'PoolWorker-2',
    pid: 4211,
    exitCode: null,
    signal: 'SIGKILL',
    elapsedMs: 1234,
    attempts: 1,
    stdoutPath: null,
    stderrPath: null,
  }

  test('aligns its columns and shows the first line of a message', () => {
    expect(
      failuresTable(
        { failures: [failure, { ...failure, label: 'a', state: 'failed', signal: null, exitCode: 2 }], total: 2 },
        100,
      ),
    ).toEqual([
      'Task               State   Exit               Worker               Time   Message',
      '─────────────────  ──────  ─────────────────  ───────────────────  ─────  ───────────',
      'resize(img_3.png)  lost    exit -9 (SIGKILL)  PoolWorker-2 (4211)  1.2 s  Worker died',
      'a                  failed  exit 2             PoolWorker-2 (4211)  1.2 s  Worker died',
    ])
  })

  test('aligns wide characters', () => {
    const lines = failuresTable(
      {
        failures: [
          { ...failure, label: '漢字' },
          { ...failure, label: '🚀ab' },
        ],
        total: 2,
      },
      100,
    )
    expect(lines.map((line) => line.split(/ {2,}/, 1)[0])).toEqual(['Task', '────', '漢字', '🚀ab'])
    expect(lines.slice(2)).toEqual([
      '漢字  lost   exit -9 (SIGKILL)  PoolWorker-2 (4211)  1.2 s  Worker died',
      '🚀ab  lost   exit -9 (SIGKILL)  PoolWorker-2 (4211)  1.2 s  Worker died',
    ])
  })

  test('cuts a message to the width of the terminal', () => {
    const lines = failuresTable({ failures: [{ ...failure, message: 'x'.repeat(500) }], total: 1 }, 120)
    expect(lines.map((line) => line.length)).toEqual([80, 119, 119])
  })

  test('puts a message below its row where the terminal is too narrow for both', () => {
    const message =
      'WorkerLostError: PoolWorker-2 (pid 4211) ended with exit -9 (SIGKILL) before resize(img_3.png) was done: ' +
      'ended by us, Kill in VS Code'
    expect(failuresTable({ failures: [{ ...failure, message }], total: 1 }, 88)).toEqual([
      'Task               State  Exit               Worker               Time',
      '─────────────────  ─────  ─────────────────  ───────────────────  ─────',
      'resize(img_3.png)  lost   exit -9 (SIGKILL)  PoolWorker-2 (4211)  1.2 s',
      '  ended by us, Kill in VS Code',
    ])
  })

  test('says how many it leaves out', () => {
    const lines = failuresTable({ failures: Array.from({ length: 40 }, () => failure), total: 100 }, 100)
    expect(lines).toHaveLength(33)
    expect(lines.at(-1)).toContain('70 more')
  })

  test('is empty when everything is done', () => {
    expect(failuresTable({ failures: [], total: 0 }, 80)).toEqual([])
  })
})

describe('The end of a pool', () => {
  test('is a success only when every task is done', () => {
    expect(succeeded(poolHeader({ counts: { ...noCounts, done: 3 } }))).toBe(true)
    expect(succeeded(poolHeader({ counts: { ...noCounts, done: 2, cancelled: 1 } }))).toBe(false)
    expect(succeeded(poolHeader({ counts: { ...noCounts, done: 2, queued: 1 } }))).toBe(false)
    expect(succeeded(poolHeader({ counts: { ...noCounts, done: 3 }, failure: 'crash loop' }))).toBe(false)
  })

  test('is explained key by key when it could not begin', () => {
    const error = Object.assign(new Error('cannot run'), {
      data: {
        problems: [
          { key: 'items.glob', message: 'Nothing matches.' },
          { key: '', message: 'Nothing to run.' },
          { key: 'procesess', message: '"procesess" is no key.' },
        ],
      },
    })
    expect(errorLines(error)).toEqual([
      'This pool task cannot run:',
      '  items.glob: Nothing matches.',
      '  Nothing to run.',
      '  "procesess" is no key.',
    ])
    expect(errorLines(new Error('plain'))).toEqual(['plain'])
  })
})

describe('A launch', () => {
  const settings = {
    stuckAfterMs: 30_000,
    gracePeriodMs: 100,
    useSigkill: false,
    nodePath: '',
    pythonPath: '',
    recordArguments: true,
    stackSignal: null,
  }

  test('takes VS Code’s resolved values, and what VS Code dropped from the task', () => {
    const params = launchParams(
      'Crawl',
      { type: 'pool', cwd: '/real' },
      { type: 'pool', label: 'Crawl', cwd: '${workspaceFolder}', wrongKey: 1, timeoutMs: null },
      settings,
      {},
    )
    expect(params.definition).toEqual({ type: 'pool', label: 'Crawl', cwd: '/real', wrongKey: 1, timeoutMs: null })
    expect(params.defaults).toEqual({
      stuckAfterMs: 30_000,
      gracePeriodMs: 100,
      useSigkill: false,
      recordArguments: true,
    })
  })

  test('names a Python interpreter only when one was chosen', () => {
    expect(launchParams('x', {}, undefined, { ...settings, pythonPath: '.venv/bin/python' }, {}).defaults).toEqual({
      stuckAfterMs: 30_000,
      gracePeriodMs: 100,
      useSigkill: false,
      recordArguments: true,
      pythonPath: '.venv/bin/python',
    })
  })

  test('names a node executable only when one was chosen', () => {
    expect(launchParams('x', {}, undefined, { ...settings, nodePath: '/usr/bin/node' }, {}).defaults?.nodePath).toBe(
      '/usr/bin/node',
    )
  })

  test('gives workers the person’s environment without what the editor added', () => {
    expect(userEnvironment({ PATH: '/bin', VSCODE_IPC_HOOK: 'x', ELECTRON_RUN_AS_NODE: '1', LANG: undefined })).toEqual(
      { PATH: '/bin' },
    )
  })
})
