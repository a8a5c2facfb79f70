import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { homeFolder, temporaryFolder, userId } from '../../../src/discovery'

/** Not `vi.mock`: a module that another file of this process has read already would keep the real one. */
function homeIs(answer: () => string): void {
  vi.spyOn(os, 'homedir').mockImplementation(answer)
  syncBuiltinESMExports()
}
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

describe.skipIf(process.platform === 'win32')('the folders of a user', () => {
  it('are those of the environment', () => {
    expect(homeFolder({ HOME: '/home/mara' })).toBe('/home/mara')
    expect(temporaryFolder({ TMPDIR: '/scratch' })).toBe('/scratch')
  })

  it('are found without a HOME as the system knows them', () => {
    homeIs(() => '/home/mara')
    expect(homeFolder({})).toBe('/home/mara')
    expect(homeFolder({ HOME: '' })).toBe('/home/mara')
  })

  it('of a user whom the system does not know lack a home, and that is no error', () => {
    homeIs(() => {
      throw new Error('uv_os_homedir returned ENOENT (no such file or directory)')
    })
    expect(homeFolder({})).toBeUndefined()
  })

  it('do not depend on the current folder: a relative TMPDIR is passed over', () => {
    expect(temporaryFolder({ TMPDIR: '.' })).toBe('/tmp')
    expect(temporaryFolder({ TMPDIR: '', TMP: 'tmp', TEMP: '/var/tmp' })).toBe('/var/tmp')
  })

  it('belong to a number, not to a name', () => {
    expect(userId()).toBe(process.getuid?.())
  })
})
