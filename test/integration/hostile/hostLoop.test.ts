import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostConnection } from '../../../src/discovery'
import { fixtures, isRunning, TestWorkspace, until } from '../host/testWorkspace'
import { hostScript } from '../programs/watch'

/** The watchdog of the host: it says where a main loop stands while it stands. */

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let folder: string
let workspace: TestWorkspace
let client: HostConnection
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uh-loop-'))
})
afterEach(async () => {
  await workspace.dispose()
  rmSync(folder, { recursive: true, force: true })
})

async function open(env: Record<string, string> = {}): Promise<void> {
  workspace = new TestWorkspace(hostScript, env)
  client = await workspace.connect()
}

describe('a main loop that stands still', { retry: 0 }, () => {
  it('in JavaScript is told with its stack, at once, and goes on by itself', async () => {
    const flag = join(folder, 'flag')
    await open({
      NODE_OPTIONS: `--require=${join(fixtures, 'stands.cjs')}`,
      STANDS_HOW: 'javascript',
      STANDS_UNTIL: flag,
    })
    await until('the watchdog is awake', () => threadsOf(client.info.pid) > 0)
    process.kill(client.info.pid, 'SIGUSR2')
    const told = await until('the log says so', async () =>
      /^.* ERROR The host does not answer: its event loop has stood still for (\S+) s.*$/m.exec(await workspace.log()),
    )
    expect(Number(told[1])).toBeGreaterThanOrEqual(2)
    expect(told[0]).toContain('spinsInJavaScript')
    expect(told[0]).toContain('stands.cjs:8')
    writeFileSync(flag, '')
    await until('the log says that it goes on', async () =>
      /ERROR The host goes on: its event loop stood still for \S+ s\./.test(await workspace.log()),
    )
    expect((await client.request('unhang/hostStatus', {})).pid).toBe(client.info.pid)
  })

  it('in a system call is told with that call and what it is about', async () => {
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    await open({
      NODE_OPTIONS: `--require=${join(fixtures, 'stands.cjs')}`,
      STANDS_HOW: 'system call',
      STANDS_UNTIL: fifo,
    })
    await until('the watchdog is awake', () => threadsOf(client.info.pid) > 0)
    process.kill(client.info.pid, 'SIGUSR2')
    const told = await until('the log says so', async () =>
      /^.* ERROR The host does not answer.*$/m.exec(await workspace.log()),
    )
    expect(told[0]).toMatch(/in the system call open(at)?/)
    if (process.arch === 'x64' || process.arch === 'arm64') expect(told[0]).toContain(JSON.stringify(fifo))
    writeFileSync(fifo, '')
    await until('the log says that it goes on', async () => (await workspace.log()).includes('ERROR The host goes on'))
    expect((await client.request('unhang/hostStatus', {})).pid).toBe(client.info.pid)
  })

  it('because the whole host is stopped is not told, as nobody could have seen it stand', async () => {
    await open()
    await until('the watchdog is awake', () => threadsOf(client.info.pid) > 0)
    process.kill(client.info.pid, 'SIGSTOP')
    await sleep(3500)
    process.kill(client.info.pid, 'SIGCONT')
    await client.request('unhang/hostStatus', {}, { timeoutMs: 30_000 })
    await sleep(1500)
    expect(await workspace.log()).not.toContain('stood still')
  })
})

describe('the watchdog', { retry: 0 }, () => {
  it('sleeps while nobody could miss the host', async () => {
    await open({ UNHANG_IDLE_MS: '60000' })
    const { pid } = client.info
    await until('the watchdog is awake', () => threadsOf(pid) > 0)
    // Awake, both threads are seen to wake twice a second.
    const awake = await switchesWithin(pid, 3000)
    client.dispose()
    await until('its threads have come to rest', async () => (await switchesWithin(pid, 3000)) <= 3, 30_000)
    expect(awake).toBeGreaterThanOrEqual(8)
  })

  it('does not hold up the end of the host', async () => {
    await open()
    const { pid } = client.info
    await until('the watchdog is awake', () => threadsOf(pid) > 0)
    await client.request('unhang/stopHost', {})
    await until('the host to be gone', () => !isRunning(pid), 5000)
  })
})

/** Times that the host's threads have left a processor in this time: main thread, watchdog, and Node's own. */
async function switchesWithin(pid: number, ms: number): Promise<number> {
  const before = switches(pid)
  await sleep(ms)
  return switches(pid) - before
}

function switches(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) =>
      sum +
      Number(
        /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))?.[1] ?? 0,
      ),
    0,
  )
}

/** Threads of the host that wait with a time limit: the watchdog does so by a futex, and nothing else of the host. */
function threadsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).filter((task) => {
    try {
      const [call = '', , , , timeout = '0x0'] = readFileSync(`/proc/${pid}/task/${task}/syscall`, 'utf8').split(' ')
      return (call === '202' || call === '98') && timeout.trim() !== '0x0'
    } catch {
      return false
    }
  }).length
}
