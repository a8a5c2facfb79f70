import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HostLog, logLevelOf } from '../../../src/host/terms/log'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uh-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('writes one line a fact, with ISO time, level and details', async () => {
  const log = new HostLog(join(folder, 'host.log'), { level: 'info' })
  log.info('A pool was launched.', { id: 'pool-1' })
  log.error('It broke.', new Error('really'))
  log.debug('not shown')
  await log.close()
  const lines = readFileSync(join(folder, 'host.log'), 'utf8').split('\n')
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}A pool was launched\. {"id":"pool-1"}$/)
  expect(lines[1]).toMatch(/ERROR It broke\. Error: really/)
  expect(lines.join('\n')).not.toContain('not shown')
})

it('puts a full file aside and keeps a bounded number of old ones', async () => {
  const log = new HostLog(join(folder, 'host.log'), { level: 'info', size: '4K', keep: 2 })
  for (let n = 0; n < 40; n++) {
    log.info(`${n}`.padEnd(1000, '.'))
    // Rotation is between two writes; give it the turn it needs, as a host's day does.
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
  await log.close()
  const files = readdirSync(folder).filter((name) => name.includes('log'))
  expect(files.length).toBeGreaterThan(1)
  expect(files.length).toBeLessThanOrEqual(3)
  for (const name of files) expect(statSync(join(folder, name)).size).toBeLessThan(12_000)
})

it('can only be read by its owner', async () => {
  const log = new HostLog(join(folder, 'host.log'), { level: 'info' })
  log.info('x')
  await log.close()
  expect(statSync(join(folder, 'host.log')).mode & 0o777).toBe(0o600)
})

it('takes its level from the environment', () => {
  expect(logLevelOf({ UNHANG_LOG_LEVEL: 'debug' })).toBe('debug')
  expect(logLevelOf({ UNHANG_LOG_LEVEL: 'loud' })).toBe('info')
})
