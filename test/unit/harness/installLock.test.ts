import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { withInstallLock } from '../../harness/installLock.mjs'

describe('the install lock', () => {
  let folder: string
  let lock: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unhang-lock-'))
    lock = join(folder, 'vscode')
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
    expect(existsSync(`${lock}.lock`)).toBe(false)
  })

  test('is taken over once its holder does not touch it any more', async () => {
    mkdirSync(`${lock}.lock`)
    const longAgo = new Date(Date.now() - 120_000)
    utimesSync(`${lock}.lock`, longAgo, longAgo)
    expect(await withInstallLock(lock, noWait, () => Promise.resolve('ran'))).toBe('ran')
  })

  test('says once that another holds it, and waits', async () => {
    mkdirSync(`${lock}.lock`)
    const onWait = vi.fn(() => {
      rmSync(`${lock}.lock`, { recursive: true })
    })
    await withInstallLock(lock, { onWait }, () => Promise.resolve())
    expect(onWait).toHaveBeenCalledTimes(1)
  })

  test('is no reason to wait where the folder cannot be written', async () => {
    await expect(withInstallLock(join(folder, 'none', 'vscode'), noWait, () => Promise.resolve('ran'))).rejects.toThrow(
      'ENOENT',
    )
  })
})
