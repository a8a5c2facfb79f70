import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HostConnection } from '../../../src/discovery'
import { poolsOf, TestWorkspace, untilPool } from '../host/testWorkspace'
import { hostScript } from '../programs/watch'
import { answersDuring } from './hostAnswers'

/** Files that a tasks.json names as items: whatever they are, the host goes on, and says what is wrong with them. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let workspace: TestWorkspace
let client: HostConnection
let asker: HostConnection
beforeEach(async () => {
  if (!existsSync(hostScript)) throw new Error('dist/host.js is missing: run `npm run build` first')
  workspace = new TestWorkspace(hostScript)
  client = await workspace.connect()
  asker = await workspace.connect({ client: 'cli' })
})
afterEach(async () => {
  await workspace.dispose()
})

const launched = (items: unknown) =>
  client.request('unhang/launchPool', { definition: { command: ['true'], items, processes: 1 } }, { timeoutMs: 60_000 })
const refusal = (items: unknown): Promise<string> =>
  launched(items).then(
    () => 'no refusal',
    (error: unknown) => (error as Error).message,
  )
const peakBytes = (): number =>
  Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${client.info.pid}/status`, 'utf8'))?.[1]) * 1024
const file = (name: string): string => join(workspace.root, name)

/** Written in pieces, as one text of its size would be the largest thing in this test. */
function write(name: string, piece: string, times: number): string {
  const descriptor = openSync(file(name), 'w')
  for (let round = 0; round < times; round += 1) writeSync(descriptor, piece)
  closeSync(descriptor)
  return name
}

describe('a file of lines', { retry: 0 }, () => {
  it('that has no line feed in 100 MB is refused with its key and what to do', async () => {
    const name = write('oneline', 'x'.repeat(1024 * 1024), 100)
    const before = peakBytes()
    expect(await answersDuring(asker, () => refusal({ lines: name }))).toMatch(
      /"items\.lines": .*oneline has no line feed in more than 1048576 bytes, at line 1\. Write one item a line\./,
    )
    expect(peakBytes() - before).toBeLessThan(100 * 1024 * 1024)
  })

  it('that is minified JSON behind a few good lines is refused', async () => {
    writeFileSync(file('min.json'), `first\nsecond\n[${'{"a":1},'.repeat(500_000)}{}]`)
    expect(await answersDuring(asker, () => refusal({ lines: 'min.json' }))).toMatch(
      /"items\.lines": .* has no line feed in more than 1048576 bytes, at line 3/,
    )
  })

  it('of 200 MB is counted and taken line by line, with the memory of a few', async () => {
    const line = `${'path/to/some/image.png '.repeat(4)}\n`
    const name = write('lines.txt', line.repeat(11_000), Math.ceil((200 * 1024 * 1024) / (line.length * 11_000)))
    const before = peakBytes()
    await answersDuring(asker, async () => {
      const { poolId, total } = await launched({ lines: name })
      expect(total).toBeGreaterThan(2_200_000)
      await untilPool(client, poolId, 'some of them to be done', ({ counts }) => counts.done > 20)
      await client.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'user' })
    })
    expect(peakBytes() - before).toBeLessThan(100 * 1024 * 1024)
  })

  it('of nothing but empty lines is refused, and not passed over in one step', async () => {
    const name = write('empty', '\n'.repeat(1024 * 1024), 100)
    expect(await answersDuring(asker, () => refusal({ lines: name }))).toMatch(
      /"items\.lines": .* empty lines in a row/,
    )
  })

  it('that gets a long line after it was counted ends the items there, and not the host', async () => {
    writeFileSync(file('grows.txt'), 'one\ntwo\n')
    await answersDuring(asker, async () => {
      const { poolId } = await client.request('unhang/launchPool', {
        definition: { command: ['sleep', '0.3'], items: { lines: 'grows.txt' }, processes: 1 },
      })
      const descriptor = openSync(file('grows.txt'), 'a')
      for (let round = 0; round < 50; round += 1) writeSync(descriptor, 'x'.repeat(1024 * 1024))
      closeSync(descriptor)
      await untilPool(client, poolId, 'the end of the pool', ({ state }) => state === 'ended')
    })
    expect((await poolsOf(client))[0]?.counts.done).toBe(2)
  })

  it.each([
    [
      'a FIFO',
      (name: string) => {
        execFileSync('mkfifo', [name])
      },
      /a FIFO/,
    ],
    [
      'a link to a FIFO',
      (name: string) => {
        execFileSync('mkfifo', [`${name}.fifo`])
        symlinkSync(`${name}.fifo`, name)
      },
      /a FIFO/,
    ],
    [
      'a link to /dev/zero',
      (name: string) => {
        symlinkSync('/dev/zero', name)
      },
      /\/proc, \/dev or \/sys/,
    ],
    [
      'a link to /proc/self/pagemap, whose size is 0 and which goes on for ever',
      (name: string) => {
        symlinkSync('/proc/self/pagemap', name)
      },
      /\/proc, \/dev or \/sys/,
    ],
    [
      'a descriptor of the host',
      (name: string) => {
        symlinkSync('/dev/fd/3', name)
      },
      /\/proc, \/dev or \/sys/,
    ],
    [
      'a sparse file of 2 GB',
      (name: string) => {
        writeFileSync(name, '')
        truncateSync(name, 2 * 1024 ** 3)
      },
      /no line feed in more than|has 2147483648 bytes/,
    ],
  ])('or a JSON file that is %s is refused', async (_, make, message) => {
    make(file('items'))
    await answersDuring(asker, async () => {
      // More often than Node has threads for files.
      for (let round = 0; round < 3; round += 1) {
        expect(await refusal({ lines: 'items' })).toMatch(message)
        expect(await refusal({ json: 'items' })).toMatch(message)
      }
    })
    const { poolId } = await launched([1])
    await untilPool(client, poolId, 'an ordinary pool to be done', ({ counts }) => counts.done === 1)
  })
})

describe('a JSON file', { retry: 0 }, () => {
  it('that is nested three million levels deep is refused', async () => {
    writeFileSync(file('deep.json'), '['.repeat(3_000_000) + ']'.repeat(3_000_000))
    expect(await answersDuring(asker, () => refusal({ json: 'deep.json' }))).toMatch(
      /"items\.json": .* is nested more than 1000 levels deep/,
    )
  })

  it('of 60 MB is read without the host, and its items are as written', async () => {
    const name = write('large.json', '{"name": "Zoë", "sizes": [1, 2.5, null, true]},\n'.repeat(10_000), 120)
    const descriptor = openSync(file(name), 'r+')
    writeSync(descriptor, '[', 0)
    closeSync(descriptor)
    writeFileSync(file(name), '"last"]', { flag: 'a' })
    // The first character of the first object was written over.
    expect(await answersDuring(asker, () => refusal({ json: name }))).toMatch(/"items\.json": .* is no JSON/)
    const fixed = write('good.json', '[', 1)
    for (let round = 0; round < 120; round += 1)
      writeFileSync(file(fixed), '{"name": "Zoë", "sizes": [1, 2.5, null, true]},\n'.repeat(10_000), { flag: 'a' })
    writeFileSync(file(fixed), '"last"]', { flag: 'a' })
    await answersDuring(asker, async () => {
      const { poolId, total } = await client.request(
        'unhang/launchPool',
        { definition: { command: ['echo', '${item}'], items: { json: fixed }, processes: 1 } },
        { timeoutMs: 60_000 },
      )
      expect(total).toBe(1_200_001)
      const pool = await untilPool(client, poolId, 'its first tasks', ({ workers }) =>
        workers.some(({ task }) => task?.label.includes('Zoë') === true),
      )
      expect(pool.workers.find(({ task }) => task?.label.includes('Zoë') === true)?.task?.label).toContain(
        '{"name":"Zoë","sizes":[1,2.5,null,true]}',
      )
      await client.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'user' })
    })
  })
})

it('a tasks.json that is a FIFO is refused, however often a pool is launched from it', { retry: 0 }, async () => {
  execFileSync('mkdir', ['-p', file('.vscode')])
  execFileSync('mkfifo', [file('.vscode/tasks.json')])
  await answersDuring(asker, async () => {
    for (let round = 0; round < 6; round += 1) {
      await expect(client.request('unhang/launchPool', { label: 'Resize' }, { timeoutMs: 20_000 })).rejects.toThrow(
        /tasks\.json is no regular file but a FIFO/,
      )
    }
  })
})
