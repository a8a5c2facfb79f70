import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node'
import { connectOrStart, type HostConnection } from '../../../src/discovery'
import { buildHost, fixtures, TestWorkspace, until, untilPool } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
/** Speaks the language protocol, as the editor does. */
let editor: MessageConnection
let terminal: HostConnection
let refreshes: number[]
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})

const text =
  '{\n  "tasks": [\n    { "type": "pool", "label": "Hang", "module": "./work.js#never", "items": [1, 2], ' +
  '"processes": 2 }\n  ]\n}\n'
let uri: string

beforeEach(async () => {
  workspace = new TestWorkspace(built.hostScript)
  mkdirSync(join(workspace.root, '.vscode'))
  writeFileSync(
    join(workspace.root, 'work.js'),
    `module.exports = require(${JSON.stringify(join(fixtures, 'work.js'))})`,
  )
  writeFileSync(join(workspace.root, '.vscode', 'tasks.json'), text)
  uri = pathToFileURL(join(workspace.root, '.vscode', 'tasks.json')).href
  terminal = await workspace.connect({ client: 'cli' })
  const connected = await connectOrStart({
    root: workspace.root,
    hostScript: built.hostScript,
    start: false,
    client: 'vscode',
    env: workspace.env,
  })
  editor = createMessageConnection(new StreamMessageReader(connected.socket), new StreamMessageWriter(connected.socket))
  refreshes = []
  editor.onRequest('workspace/codeLens/refresh', () => {
    refreshes.push(performance.now())
    return null
  })
  editor.listen()
  await editor.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: { workspace: { codeLens: { refreshSupport: true } } },
    initializationOptions: connected.initializationOptions,
  })
  await editor.sendNotification('initialized', {})
  await editor.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'jsonc', version: 1, text },
  })
})
afterEach(async () => {
  editor.dispose()
  await workspace.dispose()
})

interface Lens {
  range: { start: { line: number } }
  command: { title: string; command: string; arguments: unknown[] }
}
const lenses = async () =>
  (await editor.sendRequest<Lens[]>('textDocument/codeLens', { textDocument: { uri } })).map(({ command }) => command)
interface Report {
  kind: string
  items: {
    code: string
    source: string
    range: { start: { line: number; character: number }; end: { line: number; character: number } }
  }[]
}
const diagnostics = async (at = uri) =>
  (await editor.sendRequest<Report>('textDocument/diagnostic', { textDocument: { uri: at } })).items

it('lenses launch a pool, then show its counts and terminate it, and the editor is told when they change', async () => {
  expect(await lenses()).toEqual([
    {
      title: '$(play) Launch',
      command: 'unhang.launchPool',
      arguments: [{ label: 'Hang', folder: pathToFileURL(workspace.root).href }],
    },
  ])
  const { poolId } = await terminal.request('unhang/launchPool', { label: 'Hang' })
  await until('the lenses to be asked for again', async () => refreshes.length > 0 && (await lenses()).length === 2)
  await until('the counts', async () => (await lenses())[1]?.title === '2 busy · 0 of 2 ended')
  expect((await lenses())[0]).toEqual({
    title: '$(debug-stop) Terminate',
    command: 'unhang.terminatePool',
    arguments: [{ poolId }],
  })
  await terminal.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'user' })
  await until('the launch lens to be back', async () => (await lenses())[0]?.command === 'unhang.launchPool')
})

it('the editor is asked to refresh at most once a second, and not at all while nothing looks different', async () => {
  await lenses()
  const { poolId } = await terminal.request('unhang/launchPool', {
    definition: { command: ['true'], items: { range: [0, 400] }, processes: 2 },
    label: 'Hang',
  })
  const poll = setInterval(() => {
    void lenses()
  }, 50)
  await untilPool(terminal, poolId, 'the pool to end', ({ state }) => state === 'ended')
  clearInterval(poll)
  expect(refreshes.length).toBeGreaterThan(0)
  for (const from of refreshes) expect(refreshes.filter((at) => at >= from && at < from + 900)).toHaveLength(1)
  await lenses()
  await new Promise((done) => {
    setTimeout(done, 1200)
  })
  await lenses()
  const before = refreshes.length
  await terminal.request('unhang/removePool', { poolId })
  await new Promise((done) => {
    setTimeout(done, 1500)
  })
  expect(refreshes.length).toBe(before)
})

it('an editor that was told of new lenses and did not fetch them is told again', async () => {
  await lenses()
  const { poolId } = await terminal.request('unhang/launchPool', { label: 'Hang' })
  await untilPool(terminal, poolId, 'both tasks to run', ({ counts }) => counts.running === 2)
  // The launch and the two tasks that start are two changes a second at most; from then on nothing looks different.
  await until('the editor to be told a third time', () => refreshes.length >= 3)
  expect((await lenses())[1]?.title).toBe('2 busy · 0 of 2 ended')
})

it('diagnostics follow the text as it is typed', async () => {
  expect(await diagnostics()).toEqual([])
  const at = text.indexOf('"processes"')
  const line = text.slice(0, at).split('\n').length - 1
  const character = at - text.lastIndexOf('\n', at) - 1
  await editor.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: 2 },
    contentChanges: [
      {
        range: { start: { line, character: character + 1 }, end: { line, character: character + 10 } },
        text: 'proceses',
      },
    ],
  })
  expect(await diagnostics()).toMatchObject([
    {
      source: 'unhang',
      code: 'unknown-key',
      range: { start: { line, character }, end: { line, character: character + '"proceses"'.length } },
    },
  ])
})

it('another file gets neither', async () => {
  const other = pathToFileURL(join(workspace.root, 'tasks.json')).href
  await editor.sendNotification('textDocument/didOpen', {
    textDocument: { uri: other, languageId: 'jsonc', version: 1, text: '{"tasks":[{"type":"pool"}]}' },
  })
  expect(await diagnostics(other)).toEqual([])
  expect(await editor.sendRequest('textDocument/codeLens', { textDocument: { uri: other } })).toEqual([])
  expect(await editor.sendRequest('textDocument/codeLens', { textDocument: { uri: 'untitled:Untitled-1' } })).toEqual(
    [],
  )
})

it(
  'the tasks.json of another folder gets diagnostics of its own folder, and no lenses that ' + 'would launch ours',
  async () => {
    const folder = join(workspace.folder, 'other')
    mkdirSync(join(folder, '.vscode'), { recursive: true })
    const other = pathToFileURL(join(folder, '.vscode', 'tasks.json')).href
    await editor.sendNotification('textDocument/didOpen', {
      textDocument: { uri: other, languageId: 'jsonc', version: 1, text },
    })
    expect(await diagnostics(other)).toMatchObject([{ code: 'not-found' }])
    expect(await editor.sendRequest('textDocument/codeLens', { textDocument: { uri: other } })).toEqual([])
  },
)
