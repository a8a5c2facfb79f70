import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isAlive, processTable } from '../../../src/processes'
import { readHostInfo } from '../../../src/discovery'
import { buildHost, filesOf, TestWorkspace } from '../host/testWorkspace'
import { Container, itWithPython, whyNoContainer } from './container'
import { pattern } from '../../pattern'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(() => {
  workspace = new TestWorkspace(built.hostScript)
})
afterEach(async () => {
  await workspace.dispose()
})

/** What can stand under a name; `link` points to a file of the user's own. */
const plant = {
  folder: (path: string) => {
    mkdirSync(path)
    writeFileSync(join(path, 'inside'), '')
  },
  pipe: (path: string) => {
    execFileSync('mkfifo', [path])
  },
  link: (path: string) => {
    symlinkSync(join(workspace.root, 'precious'), path)
  },
  'file that nobody may read': (path: string) => {
    writeFileSync(path, 'x', { mode: 0 })
  },
} as const
const kinds = Object.keys(plant) as (keyof typeof plant)[]

/** A host starts, answers, and is the one that its files name. */
async function startsAndAnswers(): Promise<void> {
  const connection = await workspace.connect()
  expect(await connection.request('unhang/hostStatus', {})).toMatchObject({ pid: connection.info.pid })
  const { pid, startTime } = connection.info
  expect(await isAlive(processTable, { pid, startTime })).toBe(true)
  expect(await readHostInfo(await workspace.endpoint())).toEqual(connection.info)
}

describe('a name of ours in the runtime folder that is something else', { retry: 0 }, () => {
  const names = [
    'host.json',
    'ledger.jsonl',
    'ledger.jsonl.draft',
    'programs.jsonl',
    'programs.jsonl.draft',
    'kills.jsonl',
    'host.log',
    'host.stderr',
    'output',
    'lock.12',
  ]
  it.each(names.flatMap((name) => kinds.map((kind) => ({ name, kind }))))(
    'does not keep a host from starting: $name as a $kind',
    async ({ name, kind }) => {
      const { directory } = await workspace.endpoint()
      writeFileSync(join(workspace.root, 'precious'), 'mine')
      plant[kind](join(directory, name))
      await startsAndAnswers()
      expect(readFileSync(join(workspace.root, 'precious'), 'utf8')).toBe('mine')
    },
  )
})

describe('a lock that was not made by counting', { retry: 0 }, () => {
  it.each([
    'lock.99999999999999999999999',
    `lock.${'9'.repeat(200)}`,
    'lock.9007199254740992',
    'lock.1000000000',
    'lock.999999999',
    'lock.007',
    'lock.0',
    'lock.',
    'lock.x',
  ])('does not keep a host from starting: %s', async (name) => {
    const endpoint = await workspace.endpoint()
    writeFileSync(join(endpoint.directory, name), JSON.stringify({ pid: process.pid, startTime: 'long ago' }))
    await startsAndAnswers()
    expect(filesOf(endpoint).filter((file) => file.startsWith('lock.'))).toHaveLength(1)
  })
})

const missing = whyNoContainer()
describe.skipIf(missing !== undefined)(
  `a disk without room${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { retry: 0 },
  () => {
    itWithPython('is told as the reason why no host starts, in one line, and the program runs', async () => {
      const container = new Container()
      try {
        container.write('says.py', 'print("ran")\n')
        mkdirSync(join(container.folder, 'disk'))
        const fill = `mount -t tmpfs -o size=64k tmpfs "$TMPDIR/disk" && export UNHANG_RUNTIME_DIR="$TMPDIR/disk/r"
        "$@" host status && cat /dev/zero >"$UNHANG_RUNTIME_DIR/zero" 2>/dev/null; "$@" run -- python3 says.py`
        const ran = await container.asRoot(['sh', '-c', fill, 'sh'])
        expect(ran).toMatchObject({ code: 0 })
        expect(ran.stdout).toMatch(/ran\n$/)
        expect(ran.stderr).toMatch(
          pattern(
            /^unhang: the program runs unwatched, because the Unhang host of .* did not start: it exited/,
            / with 1 \(ENOSPC: no space left on device/,
          ),
        )
        expect(ran.stderr.trim().split('\n')).toHaveLength(1)
      } finally {
        await container.dispose()
        rmSync(container.folder, { recursive: true, force: true })
      }
    })
  },
)
