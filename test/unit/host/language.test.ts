import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { codeLensesOf, lensState } from '../../../src/host/language/codeLenses'
import { diagnosticsOf } from '../../../src/host/language/diagnostics'
import type { PoolHeader } from '../../../src/protocol'
import { readHere } from '../files/readHere'

const text = `{
  // pools
  "tasks": [
    {
      "type": "pool",
      "label": "Resize",
      "command": ["sh", "-c", "true"],
      "items": [1],
    },
    { "type": "shell", "label": "Build" },
    { "type": "pool", "label": "Count", "command": "true", "items": [2] }
  ]
}
`
const documentOf = (content: string) => TextDocument.create('file:///w/.vscode/tasks.json', 'jsonc', 1, content)

const header = (
  more: Partial<PoolHeader> & { busy?: number; stuck?: number; done?: number; queued?: number } = {},
): PoolHeader => {
  const { busy = 0, stuck = 0, done = 0, queued = 0, ...rest } = more
  return {
    id: 'pool-1',
    name: 'Resize',
    kind: 'command',
    state: 'run',
    orphaned: false,
    programId: null,
    program: null,
    verdicts: [],
    label: 'Resize',
    startedAt: 0,
    endedAt: null,
    etaMs: null,
    failure: null,
    issues: [],
    exitedWorkerCount: 0,
    stats: null,
    counts: { queued, running: busy, stuck, done, failed: 0, lost: 0, timedOut: 0, cancelled: 0 },
    ...rest,
  }
}

describe('code lenses', () => {
  const drawn = (pools: PoolHeader[], content = text) => {
    const document = documentOf(content)
    return codeLensesOf(document, pools).map(({ range, command }) => ({
      line: range.start.line,
      title: command?.title,
      command: command?.command,
      arguments: command?.arguments as unknown,
    }))
  }

  it('offer to launch every pool task, at its first line', () => {
    expect(drawn([])).toEqual([
      {
        line: 3,
        title: '$(play) Launch',
        command: 'unhang.launchPool',
        arguments: [{ label: 'Resize', folder: 'file:///w' }],
      },
      {
        line: 10,
        title: '$(play) Launch',
        command: 'unhang.launchPool',
        arguments: [{ label: 'Count', folder: 'file:///w' }],
      },
    ])
  })

  it('offer to terminate a pool that runs, and say how it goes', () => {
    expect(drawn([header({ busy: 3, stuck: 1, done: 8, queued: 1 })]).slice(0, 2)).toEqual([
      { line: 3, title: '$(debug-stop) Terminate', command: 'unhang.terminatePool', arguments: [{ poolId: 'pool-1' }] },
      { line: 3, title: '3 busy · 1 stuck · 8 of 12 ended', command: 'unhang.pools.focus', arguments: [] },
    ])
  })

  it('offer to launch again what has ended, and what a dead host left behind', () => {
    expect(drawn([header({ state: 'ended' }), header({ orphaned: true, state: 'terminate' })])[0]).toMatchObject({
      title: '$(play) Launch',
    })
  })

  it('show each of two pools of one label', () => {
    expect(
      drawn([header({ id: 'a' }), header({ id: 'b' })])
        .filter(({ command }) => command === 'unhang.terminatePool')
        .map((lens) => lens.arguments),
    ).toEqual([[{ poolId: 'a' }], [{ poolId: 'b' }]])
  })

  it('are drawn as far as a broken file can be read', () => {
    expect(drawn([], text.slice(0, text.indexOf('{ "type": "shell"')))).toHaveLength(1)
    expect(drawn([], '')).toEqual([])
    expect(drawn([], '[1, 2')).toEqual([])
    expect(drawn([], '{"tasks": 3}')).toEqual([])
  })

  it('look different exactly when what they show is different', () => {
    const before = lensState([header({ busy: 3 })])
    expect(lensState([header({ busy: 3, exitedWorkerCount: 9, stats: null, etaMs: 5 })])).toBe(before)
    expect(lensState([header({ busy: 2 })])).not.toBe(before)
    expect(lensState([header({ busy: 3, state: 'ended' })])).not.toBe(before)
  })
})

describe('diagnostics', () => {
  let root: string
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'uh-')))
  })
  afterEach(() => {
    rmSync(root, { recursive: true, force: true })
  })

  const diagnose = async (content: string) => {
    const document = documentOf(content)
    return (await diagnosticsOf(document, root, { PATH: '/usr/bin:/bin' }, { read: readHere })).map(
      ({ range, source, code, message }) => ({ at: document.getText(range), source, code, message }),
    )
  }
  const task = (body: string) => `{ "tasks": [ { "type": "pool", "label": "A", ${body} } ] }`

  it('are none for tasks that can run', async () => {
    expect(await diagnose(text)).toEqual([])
  })

  it.each([
    ['an unknown key', '"command": "true", "items": [1], "proceses": 3', '"proceses"', 'unknown-key'],
    ['the second of two programs', '"command": "true", "module": "./a.js", "items": [1]', '"module"', 'conflict'],
    ['a wrong type', '"command": "true", "items": [1], "processes": "four"', '"processes"', 'wrong-type'],
    ['a negative number', '"command": "true", "items": [1], "stuckAfterMs": -1', '"stuckAfterMs"', 'out-of-range'],
    ['a glob that matches nothing', '"command": "true", "items": { "glob": "none/*" }', '"glob"', 'not-found'],
    ['a program that is not there', '"command": ["no-such-program"], "items": [1]', '"no-such-program"', 'not-found'],
    ['a module that is not there', '"module": "./none.js", "items": [1]', '"module"', 'not-found'],
    ['a cwd that is not there', '"command": "true", "items": [1], "cwd": "none"', '"cwd"', 'not-found'],
    ['a variable of env that is a number', '"command": "true", "items": [1], "env": { "A": 1 }', '"A"', 'wrong-type'],
    [
      'an argument in which the item is code',
      '"command": ["sh", "-c", "echo ${item}"], "items": ["a"]',
      '"echo ${item}"',
      'unsafe',
    ],
    [
      'a shell command in which it is',
      '"command": "sh -c \'echo ${item}\'", "items": { "range": [0, 2] } }, { "type": "pool", "label": "B", ' +
        '"command": "sh -c \'echo ${item}\'", "items": ["a"]',
      '"command"',
      'unsafe',
    ],
    ['what is missing', '"items": [1]', '"type": "pool"', 'missing'],
  ])('mark exactly %s', async (_, body, at, code) => {
    expect(
      (await diagnose(task(body))).map(({ at: marked, source, code: told }) => ({ at: marked, source, code: told })),
    ).toEqual([{ at, source: 'unhang', code }])
  })

  it('mark both tasks of one label, and one without', async () => {
    const pool = (label: string) => `{ "type": "pool", ${label} "command": "true", "items": [1] }`
    const marked = await diagnose(`{ "tasks": [ ${pool('"label": "A",')}, ${pool('"label": "A",')}, ${pool('')} ] }`)
    expect(marked.map(({ at, code }) => [at, code])).toEqual([
      ['"label"', 'conflict'],
      ['"label"', 'conflict'],
      ['"type": "pool"', 'missing'],
    ])
  })

  it('leave variables to the editor that resolves them', async () => {
    expect(await diagnose(task('"command": ["sh", "${file}"], "items": [1]'))).toEqual([])
  })

  it('leave tasks of other types alone', async () => {
    expect(await diagnose('{ "tasks": [ { "type": "shell", "label": "x", "proceses": 1 } ] }')).toEqual([])
  })
})
