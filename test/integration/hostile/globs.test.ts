import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node'
import { connectOrStart, type HostConnection } from '../../../src/discovery'
import { TestWorkspace } from '../host/testWorkspace'
import { hostScript } from '../programs/watch'
import { answersDuring } from './hostAnswers'
import { pattern } from '../../pattern'

/** Patterns, and texts of a tasks.json, that would keep a host at work for ever. */

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let workspace: TestWorkspace
let client: HostConnection
let asker: HostConnection
beforeEach(async () => {
  workspace = new TestWorkspace(hostScript)
  client = await workspace.connect()
  asker = await workspace.connect({ client: 'cli' })
  // Of the whole machine, and of /proc with its links to itself.
  symlinkSync('/', join(workspace.root, 'root'))
  mkdirSync(join(workspace.root, 'data'))
  writeFileSync(join(workspace.root, 'data', 'a.png'), '')
})
afterEach(async () => {
  await workspace.dispose()
})

const refusal = (glob: unknown): Promise<string> =>
  client
    .request('unhang/launchPool', { definition: { command: ['true'], items: { glob } } }, { timeoutMs: 30_000 })
    .then(
      () => 'no refusal',
      (error: unknown) => (error as Error).message,
    )

describe('a glob', { retry: 0 }, () => {
  it('over a link to the root of the machine is given up in a few seconds, with its key and what to do', async () => {
    const since = performance.now()
    expect(await answersDuring(asker, () => refusal('root/**/x'))).toMatch(
      pattern(
        /"items\.glob": "root\/\*\*\/x" in .*/,
        / (was not read within 5 s|leads through more than \d+ files and folders)\. Write a pattern that/,
        / begins with the folder/,
      ),
    )
    // Five are its own; the machine may have other things to do.
    expect(performance.now() - since).toBeLessThan(15_000)
  })

  it('that does so many times at once is given up as well, and others are found', async () => {
    await answersDuring(asker, async () => {
      const all = await Promise.all(Array.from({ length: 6 }, (_, index) => refusal(`root/**/x${index}`)))
      for (const message of all) expect(message).toContain('"items.glob"')
    })
    expect(
      (await client.request('unhang/launchPool', { definition: { command: ['true'], items: { glob: 'data/*.png' } } }))
        .total,
    ).toBe(1)
  })

  it('whose pattern is a bomb is given up as well', async () => {
    expect(await answersDuring(asker, () => refusal(`${'{a,b}'.repeat(24)}/${'+(x+(x+(x)))'.repeat(8)}`))).toContain(
      '"items.glob"',
    )
  })
})

describe('a tasks.json that is edited', { retry: 0 }, () => {
  let editor: MessageConnection
  let uri: string
  beforeEach(async () => {
    const connected = await connectOrStart({
      root: workspace.root,
      hostScript,
      start: false,
      client: 'vscode',
      env: workspace.env,
    })
    editor = createMessageConnection(
      new StreamMessageReader(connected.socket),
      new StreamMessageWriter(connected.socket),
    )
    editor.listen()
    await editor.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {},
      initializationOptions: connected.initializationOptions,
    })
    await editor.sendNotification('initialized', {})
    mkdirSync(join(workspace.root, '.vscode'))
    uri = pathToFileURL(join(workspace.root, '.vscode', 'tasks.json')).href
  })
  afterEach(() => {
    editor.dispose()
  })

  const opened = (text: string) =>
    editor.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'jsonc', version: 1, text } })
  const edited = (version: number, text: string) =>
    editor.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] })
  const diagnostics = async () =>
    (
      await editor.sendRequest<{ items: { message: string; range: { start: { line: number; character: number } } }[] }>(
        'textDocument/diagnostic',
        { textDocument: { uri } },
      )
    ).items
  const tasksOf = (...globs: string[]) =>
    JSON.stringify({
      tasks: globs.map((glob, index) => ({ type: 'pool', label: `Pool ${index}`, command: 'true', items: { glob } })),
    })

  it('has its globs looked up within a budget, and the next edit ends what is still looked up', async () => {
    await opened(tasksOf('root/**/x'))
    await answersDuring(asker, async () => {
      const pending = []
      for (let version = 2; version < 22; version += 1) {
        await edited(version, tasksOf(...Array.from({ length: 10 }, (_, index) => `root/**/x${version}${index}`)))
        pending.push(diagnostics())
      }
      // What takes longer than an edit is no fault of the text.
      for (const found of await Promise.all(pending)) expect(found).toEqual([])
      await edited(30, tasksOf('data/*.png', 'data/*.jpg'))
      const since = performance.now()
      expect((await diagnostics()).map(({ message }) => message)).toEqual([
        expect.stringContaining('no file in') as unknown,
      ])
      expect(performance.now() - since).toBeLessThan(5000)
    })
  })

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
  ])('and nested 3,000 levels deep is told so, at the first %s that is too much', async (open, close) => {
    await opened(open.repeat(3000) + close.repeat(3000))
    const found = await answersDuring(asker, diagnostics)
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('nested too deep: more than 200 levels') as unknown,
    ])
    expect(found[0]?.range.start).toEqual({ line: 0, character: open.length * 200 })
    expect(await editor.sendRequest('textDocument/codeLens', { textDocument: { uri } })).toEqual([])
  })
})
