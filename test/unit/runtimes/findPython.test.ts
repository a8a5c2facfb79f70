import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PythonNotFoundError, findPython } from '../../../src/runtimes'

describe.skipIf(process.platform === 'win32')('the interpreter of Python workers', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'unhang-find-'))
  })
  afterEach(() => {
    rmSync(root, { recursive: true })
  })

  function program(path: string): string {
    const absolute = join(root, path)
    mkdirSync(dirname(absolute), { recursive: true })
    writeFileSync(absolute, '')
    chmodSync(absolute, 0o755)
    return absolute
  }
  const env = () => ({ PATH: join(root, 'bin') })
  function failure(pythonPath: string | undefined): PythonNotFoundError {
    try {
      findPython(pythonPath, root, env())
    } catch (error) {
      return error as PythonNotFoundError
    }
    throw new Error('it was found')
  }

  it('is the one that is asked for: absolute, relative to cwd, or in PATH', () => {
    const mine = program('tools/python3.9')
    const onPath = program('bin/python3.11')
    program('.venv/bin/python')
    expect(findPython(mine, '/', env())).toBe(mine)
    expect(findPython('tools/python3.9', root, env())).toBe(mine)
    expect(findPython('./tools/python3.9', root, env())).toBe(mine)
    expect(findPython('python3.11', root, env())).toBe(onPath)
  })

  it('is else that of a virtual environment, by its own name', () => {
    program('bin/python3')
    program('venv/bin/python3')
    symlinkSync('python3', join(root, 'venv/bin/python'))
    expect(findPython(undefined, root, env())).toBe(join(root, 'venv/bin/python'))
    const dotted = program('.venv/bin/python')
    expect(findPython(undefined, root, env())).toBe(dotted)
    expect(findPython('', root, env())).toBe(dotted)
  })

  it('is looked for from cwd up to the workspace folder', () => {
    const above = program('.venv/bin/python')
    mkdirSync(join(root, 'packages/a'), { recursive: true })
    expect(findPython(undefined, join(root, 'packages/a'), env(), root)).toBe(above)
    expect(() => findPython(undefined, join(root, 'packages/a'), env())).toThrow(PythonNotFoundError)
    const own = program('packages/a/venv/bin/python')
    expect(findPython(undefined, join(root, 'packages/a'), env(), root)).toBe(own)
    // A working folder outside of the workspace.
    expect(findPython(undefined, tmpdir(), env(), root)).toBe(above)
  })

  it('is else python3, else python in PATH', () => {
    const python = program('bin/python')
    expect(findPython(undefined, root, env())).toBe(python)
    const python3 = program('bin/python3')
    expect(findPython(undefined, root, env())).toBe(python3)
  })

  it.each([
    ['no/python3', 'there is no', '"pythonPath"'],
    ['python3.99', '"python3.99" was not found in PATH', 'a name that is in PATH'],
    ['data/file', 'is not executable', 'Write the path of a Python interpreter (3.8 or later)'],
    ['./data', 'is a folder', 'leave it out'],
  ])('is asked for in vain: %s', (pythonPath, fault, fix) => {
    program('data/file')
    chmodSync(join(root, 'data/file'), 0o644)
    const error = failure(pythonPath)
    expect(error).toMatchObject({ name: 'PythonNotFoundError', field: 'pythonPath', pythonPath })
    expect(error.message).toContain(fault)
    expect(error.message).toContain(fix)
  })

  it('is nowhere', () => {
    const error = failure(undefined)
    expect(error).toMatchObject({ field: 'pythonPath', pythonPath: undefined })
    expect(error.message).toContain(`no .venv or venv in ${root}`)
    expect(error.message).toContain('Install Python 3.8 or later')
  })
})
