import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endpointOf, findWorkspaceRoot, RuntimeDirectoryError, WorkspaceRootError } from '../../../src/discovery'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-')))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const env = (base: string) => ({ UNHANG_RUNTIME_DIR: base })
const workspace = () => {
  const root = join(folder, 'workspace')
  mkdirSync(root, { recursive: true })
  return root
}

describe('the runtime folder', () => {
  it('is made for its owner alone', async () => {
    const endpoint = await endpointOf(workspace(), env(join(folder, 'run')))
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700)
    expect(statSync(endpoint.directory).mode & 0o777).toBe(0o700)
  })

  it('is the same for every path to one workspace, and another for another', async () => {
    const root = workspace()
    symlinkSync(root, join(folder, 'link'))
    mkdirSync(join(folder, 'other'))
    const run = env(join(folder, 'run'))
    const direct = await endpointOf(root, run)
    expect(await endpointOf(join(folder, 'link'), run)).toEqual(direct)
    expect((await endpointOf(join(folder, 'other'), run)).directory).not.toBe(direct.directory)
  })

  it('is refused when others could open it', async () => {
    mkdirSync(join(folder, 'run'), { mode: 0o755 })
    chmodSync(join(folder, 'run'), 0o755)
    await expect(endpointOf(workspace(), env(join(folder, 'run')))).rejects.toThrow(/mode is 0755.*chmod 700/)
  })

  it('is refused when the folder of the workspace could be opened by others', async () => {
    const endpoint = await endpointOf(workspace(), env(join(folder, 'run')))
    chmodSync(endpoint.directory, 0o750)
    await expect(endpointOf(workspace(), env(join(folder, 'run')))).rejects.toBeInstanceOf(RuntimeDirectoryError)
  })

  it('is refused when it is a symbolic link, and nothing is made behind it', async () => {
    mkdirSync(join(folder, 'elsewhere'), { mode: 0o700 })
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'run'))
    await expect(endpointOf(workspace(), env(join(folder, 'run')))).rejects.toThrow(/symbolic link/)
    expect(existsSync(join(folder, 'elsewhere', 'host.json'))).toBe(false)
  })

  it('is refused when it is a file', async () => {
    writeFileSync(join(folder, 'run'), '')
    await expect(endpointOf(workspace(), env(join(folder, 'run')))).rejects.toThrow(/not a folder/)
  })

  it('is refused when a socket in it would have too long a path', async () => {
    await expect(endpointOf(workspace(), env(join(folder, 'x'.repeat(90))))).rejects.toThrow(
      /100 is the limit.*shorter/,
    )
  })

  it('is refused when UNHANG_RUNTIME_DIR is relative', async () => {
    await expect(endpointOf(workspace(), env('run'))).rejects.toThrow(/absolute/)
  })
})

describe('the workspace', () => {
  it('must exist and be a folder', async () => {
    await expect(endpointOf(join(folder, 'nowhere'), env(join(folder, 'run')))).rejects.toBeInstanceOf(
      WorkspaceRootError,
    )
    writeFileSync(join(folder, 'file'), '')
    await expect(endpointOf(join(folder, 'file'), env(join(folder, 'run')))).rejects.toThrow(/it is a file/)
  })

  it('is the nearest parent with .vscode', () => {
    mkdirSync(join(folder, 'a', '.vscode'), { recursive: true })
    mkdirSync(join(folder, 'a', 'b', 'c'), { recursive: true })
    expect(findWorkspaceRoot(join(folder, 'a', 'b', 'c'), '/none')).toBe(join(folder, 'a'))
  })

  it('is the nearest parent with .git, also when that is a file as in a worktree', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true })
    writeFileSync(join(folder, 'a', '.git'), 'gitdir: x')
    expect(findWorkspaceRoot(join(folder, 'a', 'b'), '/none')).toBe(join(folder, 'a'))
  })

  it('is not the home folder just because VS Code keeps its extensions in ~/.vscode', () => {
    mkdirSync(join(folder, '.vscode'))
    mkdirSync(join(folder, 'project'))
    expect(findWorkspaceRoot(join(folder, 'project'), folder)).toBe(join(folder, 'project'))
    writeFileSync(join(folder, '.vscode', 'tasks.json'), '{}')
    expect(findWorkspaceRoot(join(folder, 'project'), folder)).toBe(folder)
  })
})
