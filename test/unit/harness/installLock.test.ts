import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { withInstallLock } from '../../harness/installLock.mjs'

describe('the install lock', () => {
  let folder: string
  let lock: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unhang-lock-'))
    lock = join(folder, 'vscode.lock')
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const noWait = { onWait: () => undefined }

  test('lets one body run at a time', async () => {
    let inside = 0
    let most = 0
    const body = async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 20))
      inside--
    }
    await Promise.all([withInstallLock(lock, noWait, body), withInstallLock(lock, noWait, body)])
    expect(most).toBe(1)
  })

  test('is given back when the body fails', async () => {
    await expect(withInstallLock(lock, noWait, () => Promise.reject(new Error('no network')))).rejects.toThrow(
      'no network',
    )
    expect(existsSync(lock)).toBe(false)
  })

  test('is taken over from a process that is dead', async () => {
    // Larger than any pid that Linux or macOS hands out.
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 30, host: hostname() }))
    expect(await withInstallLock(lock, noWait, () => Promise.resolve('ran'))).toBe('ran')
  })

  test('is taken over from another machine once nobody touches it any more', async () => {
    writeFileSync(lock, JSON.stringify({ pid: process.pid, host: 'another-machine' }))
    const longAgo = new Date(Date.now() - 120_000)
    utimesSync(lock, longAgo, longAgo)
    expect(await withInstallLock(lock, noWait, () => Promise.resolve('ran'))).toBe('ran')
  })

  test('says once that another holds it, and waits', async () => {
    writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname() }))
    const onWait = vi.fn(() => {
      rmSync(lock)
    })
    await withInstallLock(lock, { onWait }, () => Promise.resolve())
    expect(onWait).toHaveBeenCalledTimes(1)
  })
})
