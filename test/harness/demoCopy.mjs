import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoWorkspace, repositoryRoot } from './paths.mjs'

/**
 * A copy of the demo workspace that a test may change. Its *Word count* reads `../../../src`, so the copy lies as deep
 * and finds this checkout's sources there.
 * @returns {{ workspace: string, remove: () => void }}
 */
export function copyDemo() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'unhang-demo-')))
  const workspace = join(folder, 'test', 'fixtures', 'demo')
  mkdirSync(workspace, { recursive: true })
  cpSync(demoWorkspace, workspace, { recursive: true })
  symlinkSync(join(repositoryRoot, 'src'), join(folder, 'src'))
  return {
    workspace,
    remove: () => {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
