import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endAfterTest, isRunning, repository, temporaryFolder, until } from '../core/support'
import { MetadataServer } from './metadataServer'

let server: MetadataServer
beforeEach(async () => {
  server = await MetadataServer.start()
})
afterEach(async () => {
  await server.close()
})

/** A program of its own that uses dist/core.js, in a folder of its own. */
const start = (what: string) => {
  const folder = temporaryFolder()
  const env = { ...process.env, TMPDIR: folder, GCE_METADATA_IP: server.host }
  const child = spawn(process.execPath, [join(repository, 'test/fixtures/shutdown/preempted.cjs'), what], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endAfterTest(child.pid!)
  let text = ''
  let warnings = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    warnings += chunk
  })
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve))
  const pids = async (): Promise<number[]> => {
    const match = await until(() => /pids (.*)\n/.exec(text), 'its workers to run')
    const found = (match[1] ?? '').split(' ').map(Number)
    for (const pid of found) endAfterTest(pid)
    return found
  }
  const saves = (): string[] =>
    existsSync(join(folder, 'saves')) ? readFileSync(join(folder, 'saves'), 'utf8').trim().split('\n') : []
  return { child, exit, pids, saves, warnings: () => warnings }
}

describe('a program with a preemption handler', () => {
  test(
    'saves once, ends workers that spin and catch SIGTERM, and leaves with 42, although it catches no ' +
      'error of its tasks',
    async () => {
      const { child, exit, pids, saves, warnings } = start('stubborn')
      const workers = await pids()
      const since = performance.now()
      child.kill('SIGTERM')
      expect(await exit).toBe(42)
      expect(performance.now() - since).toBeLessThan(30_000)
      expect(saves()).toEqual(['final'])
      expect(workers.filter(isRunning)).toEqual([])
      expect(warnings()).toMatch(/UnhangWarning: Did not end in time and are cut: .*stubborn\(\) \(tasks\.cjs\)/)
    },
  )

  test('starts no more of its many short tasks once it saves', async () => {
    const { child, exit, pids, saves } = start('many-short')
    await pids()
    child.kill('SIGTERM')
    expect(await exit).toBe(42)
    const [before, after] = saves().map((line) => line.split(' '))
    expect(before).toEqual(['before', '0', expect.any(String)])
    expect(after).toEqual(['after', '0', before?.[2]])
  })

  test('leaves with its exit code although the save never ends', async () => {
    const { child, exit, pids, saves, warnings } = start('save-hangs')
    await pids()
    child.kill('SIGTERM')
    expect(await exit).toBe(17)
    expect(saves()).toEqual(['final'])
    expect(warnings()).toMatch(/The save \(final\) was not done after \d+ ms/)
  })

  test('is not kept from ending with 0 once its work is done, an hour before it would have to', async () => {
    const { child, exit, pids, saves } = start('done-early')
    await pids()
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
    expect(saves()).toEqual(['notice'])
  })

  test('is not kept alive by what watches for the notice', async () => {
    const { exit, saves } = start('nothing-left')
    expect(await exit).toBe(0)
    expect(saves()).toEqual([])
    expect(server.polls).toBeGreaterThan(0)
  })

  test('leaves with 143 inside the grace period once the metadata server says so', async () => {
    const { exit, pids, saves } = start('metadata')
    const workers = await pids()
    await until(() => server.polls > 0, 'a poll')
    server.behaviour = 'TERMINATE_ON_HOST_MAINTENANCE'
    expect(await exit).toBe(143)
    expect(saves()).toEqual(['notice', 'final'])
    expect(workers.filter(isRunning)).toEqual([])
  })
})
