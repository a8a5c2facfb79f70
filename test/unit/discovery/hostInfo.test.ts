import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endpointOf, readHostInfo, type Endpoint, type HostInfo } from '../../../src/discovery'

let folder: string
let endpoint: Endpoint

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uh-'))
  endpoint = await endpointOf(folder, { UNHANG_RUNTIME_DIR: join(folder, 'run') })
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const host: HostInfo = {
  pid: 4711,
  startTime: '4711:99',
  socketPath: '/tmp/a.sock',
  token: 'f'.repeat(64),
  version: '0.1.0',
  protocolVersion: 1,
  startedAt: 1_700_000_000_000,
}

test('a complete host.json names the host', async () => {
  await writeFile(endpoint.infoFile, JSON.stringify(host))
  expect(await readHostInfo(endpoint)).toEqual(host)
})

test.each<[string, unknown]>([
  ['is half a file', JSON.stringify(host).slice(0, 40)],
  ['is null', 'null'],
  ['has no token', JSON.stringify({ ...host, token: undefined })],
  ['has a short token', JSON.stringify({ ...host, token: 'f' })],
  ['has a pid that is text', JSON.stringify({ ...host, pid: '4711' })],
  ['has a pid of 0', JSON.stringify({ ...host, pid: 0 })],
  ['has an empty socket path', JSON.stringify({ ...host, socketPath: '' })],
  ['has no protocol version', JSON.stringify({ ...host, protocolVersion: 1.5 })],
  ['has no start', JSON.stringify({ ...host, startedAt: null })],
])('a host.json that %s names no host', async (_, text) => {
  await writeFile(endpoint.infoFile, String(text))
  expect(await readHostInfo(endpoint)).toBeUndefined()
})
