import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HostConnection } from '../../../src/discovery'
import type { StackFrame } from '../../../src/protocol'
import { hostScript, Watch, type WatchedRun } from '../programs/watch'
import { answersDuring } from './hostAnswers'

/** The files that the frames of a stack name: a program says of its code what it likes. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 })

let watch: Watch
let asker: HostConnection
beforeAll(async () => {
  watch = await Watch.open()
  asker = await HostConnection.connect({ root: watch.root, hostScript, start: false, client: 'cli', env: watch.env })
})
afterAll(async () => {
  asker.dispose()
  await watch.close()
})

/** Node has four threads for files; one more shows that none is lost. */
const oftener = 5

/** The frame of the code that claims to be from this file, as often as a user asks for it. */
async function framesOf(path: string, line = 1): Promise<StackFrame[]> {
  const found: StackFrame[] = []
  await watch.run('named-source.py', { args: [path, String(line)] }, async (run) => {
    const pid = await inItsTask(run)
    await answersDuring(asker, async () => {
      for (let round = 0; round < oftener; round += 1) {
        const { threads, source } = await watch.host.request('unhang/stacks', { pid }, { timeoutMs: 30_000 })
        expect(source).toBe('faulthandler')
        found.push(...threads.flatMap(({ frames }) => frames).filter(({ file }) => file === path))
      }
    })
  })
  return found
}

async function inItsTask(run: WatchedRun): Promise<number> {
  const [pid = ''] = await run.untilSaid('pid')
  await run.untilPool('the worker is in its task', ({ workers }) =>
    workers.some((worker) => worker.pid === Number(pid) && worker.task?.state === 'running'),
  )
  return Number(pid)
}

/** Most memory that the host ever had. */
const peakBytes = (): number =>
  Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${watch.host.info.pid}/status`, 'utf8'))?.[1]) * 1024

const shownAs = (frames: readonly StackFrame[]): string[] => [...new Set(frames.map(({ code }) => code))]

describe('a frame whose file is', { retry: 0 }, () => {
  it('an ordinary one is shown with its line', async () => {
    const file = join(watch.root, 'source.py')
    writeFileSync(file, 'one\n  two = 2\nthree\n')
    expect(shownAs(await framesOf(file, 2))).toEqual(['two = 2'])
  })

  it('a FIFO that nobody writes to is shown without its line, and costs nobody anything', async () => {
    const fifo = join(watch.root, 'fifo')
    execFileSync('mkfifo', [fifo])
    expect(shownAs(await framesOf(fifo))).toEqual([''])
    // All that needs Node's threads for files works: a program is started and ended.
    await watch.run('lost-task.py', { args: ['fork', 'sys-exit', 'map'] }, async (other) => {
      await other.untilVerdict('lost-task')
    })
  })

  it('a device without an end is not read', async () => {
    const before = peakBytes()
    expect(shownAs(await framesOf('/dev/zero'))).toEqual([''])
    expect(peakBytes() - before).toBeLessThan(150 * 1024 * 1024)
  })

  it('larger than any source is not read', async () => {
    const file = join(watch.root, 'large.py')
    writeFileSync(file, 'x = 1\n'.repeat(2 * 1024 * 1024))
    expect(shownAs(await framesOf(file))).toEqual([''])
  })

  it.each(['by its number', 'through a link'])('a descriptor of the host itself is not read: %s', async (how) => {
    const folder = `/proc/${watch.host.info.pid}/fd`
    const own = readdirSync(folder).find(
      (name) =>
        readlinkSync(join(folder, name)).startsWith('/') &&
        statSync(join(folder, name)).isFile() &&
        statSync(join(folder, name)).size > 0,
    )
    expect(own, 'the host has a file open (its log)').toBeDefined()
    const link = join(watch.root, 'link.py')
    if (how === 'through a link') symlinkSync(`/proc/self/fd/${own!}`, link)
    expect(shownAs(await framesOf(how === 'through a link' ? link : `/dev/fd/${own!}`))).toEqual([''])
  })
})
