import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { LogOutputChannel, WorkspaceFolder } from 'vscode'
import type { HostConnection } from '../../../src/extension/client/connection'
import { FolderSession } from '../../../src/extension/client/folderSession'
import { Emitter } from '../../../src/extension/lifecycle'
import { PoolTerminal } from '../../../src/extension/tasks/poolTerminal'
import type { RequestMethod, ParamsOf } from '../../../src/protocol'
import { plainLine } from '../../../src/words'
import { buildHost, TestWorkspace } from '../host/testWorkspace'

const silent = { warn: () => undefined, info: () => undefined, error: () => undefined } as unknown as LogOutputChannel

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
let session: FolderSession
/** Requests that are held back this long, as by a host with a lot to do. */
let delayMs: Partial<Record<RequestMethod, number>>
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})

beforeEach(() => {
  workspace = new TestWorkspace(built.hostScript)
  delayMs = {}
  session = new FolderSession({
    folder: { name: 'demo' } as WorkspaceFolder,
    log: silent,
    isTrusted: () => true,
    leftLedger: () => Promise.resolve(false),
    open: () => connect(),
    hostProcess: { look: () => Promise.resolve(undefined), end: () => Promise.resolve('gone') },
  })
})
afterEach(async () => {
  await session.close()
  await workspace.dispose()
})

/** A real host, over the client that terminals use instead of the editor's. */
async function connect(): Promise<HostConnection> {
  const host = await workspace.connect()
  return {
    request: async (method, params, options) => {
      await new Promise((done) => {
        setTimeout(done, delayMs[method] ?? 0)
      })
      return host.request(method, params, options)
    },
    onNotification: (method, listener) => ({ dispose: host.on(method, listener) }),
    onDidClose: new Emitter<void>().event,
    close: () => host.close(),
  }
}

/** Runs a pool in a terminal; resolves with its plain lines and its exit code. */
async function run(params: ParamsOf<'unhang/launchPool'>): Promise<{ lines: string[]; exitCode: number }> {
  const terminal = new PoolTerminal({
    session,
    params,
    onLaunched: () => undefined,
    leavesPoolRunning: () => Promise.resolve(false),
    terminate: () => Promise.resolve(),
    onError: (error) => {
      throw error
    },
  })
  let written = ''
  terminal.onDidWrite((text) => {
    written += text
  })
  const exitCode = await new Promise<number>((resolve) => {
    terminal.onDidClose(resolve)
    terminal.open(undefined)
  })
  return { lines: written.split('\r\n').map(plainLine), exitCode }
}

const numbers = (lines: readonly string[]): number[] =>
  lines.flatMap((line) => /│ (\d+)$/.exec(line)?.slice(1) ?? []).map(Number)
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

it(
  'a pool that prints at once has its first line in the terminal, however late the terminal could ' +
    'have asked for it',
  async () => {
    // More than the 64 KiB that the host keeps for those who follow later.
    delayMs = { 'unhang/followOutput': 1_000 }
    const { lines, exitCode } = await run({ definition: { command: ['seq', '30000'], items: [1] } })
    expect(exitCode).toBe(0)
    expect(numbers(lines)).toEqual(upTo(30_000))
  },
)

it('a pool that ends with much to read has its last line in the terminal', async () => {
  const { lines, exitCode } = await run({ definition: { command: ['seq', '300000'], items: [1] } })
  expect(exitCode).toBe(0)
  expect(numbers(lines).length).toBe(300_000)
  expect(lines.at(-2)).toContain('1 of 1 tasks done')
})
