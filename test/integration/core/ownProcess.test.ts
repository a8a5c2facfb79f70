import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { endAfterTest, fixtures, isRunning, temporaryFolder, until } from './support'

/** A program of its own that uses dist/core.js. */
function program(what: string) {
  // A folder of the test's own for its temporary files: one that is killed cannot remove them.
  const env = { ...process.env, TMPDIR: temporaryFolder() }
  const child = spawn(process.execPath, [join(fixtures, 'driver.cjs'), what], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endAfterTest(child.pid!)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve))
  const printed = async (pattern: RegExp): Promise<string[]> => {
    const match = await until(() => pattern.exec(text), `it prints ${String(pattern)}`)
    return (match[1] ?? '').trim().split(' ')
  }
  return { child, exit, printed, text: () => text }
}

describe('when the process of a pool is killed', () => {
  it('its workers are gone within 2 s, also those that spin or are blocked, and what they started', async () => {
    const { child, printed } = program('spin-and-block')
    const pids = (await printed(/pids (.*)\n/)).map(Number)
    const [grandchild] = (await printed(/child (\d+)/)).map(Number)
    const all = [...pids, grandchild!]
    for (const pid of all) endAfterTest(pid)
    expect(pids).toHaveLength(3)
    expect(all.every(isRunning)).toBe(true)
    const killedAt = Date.now()
    child.kill('SIGKILL')
    await until(() => !all.some(isRunning), 'all are gone', 10_000)
    expect(Date.now() - killedAt).toBeLessThan(2000)
  })

  it('workers that spin while they load their module go as well', async () => {
    const { child, printed } = program('starting')
    const pids = (await printed(/pids (.*)\n/)).map(Number)
    for (const pid of pids) endAfterTest(pid)
    expect(pids).toHaveLength(2)
    const killedAt = Date.now()
    child.kill('SIGKILL')
    await until(() => !pids.some(isRunning), 'all are gone', 10_000)
    expect(Date.now() - killedAt).toBeLessThan(2000)
  })
})

describe('a program that uses a pool', () => {
  it('ends by itself once the pool has ended', async () => {
    const { exit, text } = program('ended')
    expect(await exit).toBe(0)
    expect(text()).toBe('0\n')
  })

  it('is kept alive by a closed pool until its tasks are done', async () => {
    const { exit, text } = program('closed')
    expect(await exit).toBe(0)
    expect(text()).toBe('late\n')
  })

  it('is kept alive by a live pool, also when that has no process at the moment', async () => {
    const { child, printed } = program('live-and-idle')
    await printed(/(still here)/)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(child.exitCode).toBeNull()
  })

  it('can end although a worker survived terminate()', async () => {
    const { exit, printed, text } = program('survivor')
    const pids = (await printed(/pids (.*)\n/)).map(Number)
    for (const pid of pids) endAfterTest(pid)
    expect(await exit).toBe(0)
    expect(text()).toContain(`pid=${pids[0]}`)
    expect(isRunning(pids[0]!)).toBe(true)
    process.kill(-pids[0]!, 'SIGKILL')
  })

  it('leaves no temporary folder behind, also without dispose()', async () => {
    const { exit, text } = program('output-left')
    expect(await exit).toBe(0)
    expect(text().trim()).toMatch(/unhang-output-/)
    expect(existsSync(join(text().trim(), '..'))).toBe(false)
  })
})
