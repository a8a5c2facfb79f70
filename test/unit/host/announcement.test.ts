import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Announcement } from '../../../src/host/lifetime/announcement'
import { endpointOf, readHostInfo, writeHostInfo, type Endpoint, type HostInfo } from '../../../src/discovery'

let folder: string
let endpoint: Endpoint
const info: HostInfo = {
  pid: 4,
  startTime: 's',
  socketPath: '/s',
  token: 'a'.repeat(64),
  version: '1',
  protocolVersion: 1,
  startedAt: 1,
}
const fail = (error: unknown) => {
  throw error as Error
}
beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-')))
  mkdirSync(join(folder, 'w'))
  endpoint = await endpointOf(join(folder, 'w'), { UNHANG_RUNTIME_DIR: join(folder, 'r') })
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('is found by clients, and only its owner can read it', async () => {
  const announcement = new Announcement(endpoint, info, fail)
  await announcement.publish()
  expect(await readHostInfo(endpoint)).toEqual(info)
  expect(statSync(endpoint.infoFile).mode & 0o777).toBe(0o600)
  await announcement.withdraw()
  expect(existsSync(endpoint.infoFile)).toBe(false)
})

it('does not withdraw that of a successor', async () => {
  const announcement = new Announcement(endpoint, info, fail)
  await announcement.publish()
  await writeHostInfo(endpoint, { ...info, token: 'b'.repeat(64) })
  await announcement.withdraw()
  expect(await readHostInfo(endpoint)).toMatchObject({ token: 'b'.repeat(64) })
})

it('is not taken for old by what cleans up /tmp, and is written again when it was', async () => {
  const announcement = new Announcement(endpoint, info, fail)
  await announcement.publish()
  const lock = join(endpoint.directory, 'lock.1')
  writeFileSync(lock, '{}')
  utimesSync(lock, new Date(0), new Date(0))
  rmSync(endpoint.infoFile)
  await announcement.refresh()
  expect(Date.now() - statSync(lock).mtimeMs).toBeLessThan(60_000)
  expect(await readHostInfo(endpoint)).toEqual(info)
  await announcement.withdraw()
})
