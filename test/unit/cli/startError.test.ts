import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorText } from '../../../src/cli/errors'
import { startError } from '../../../src/cli/run/startError'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-start-'))
  writeFileSync(join(folder, 'wrong.py'), '#!/no/such/python3\nprint(1)\n', { mode: 0o755 })
  writeFileSync(join(folder, 'windows.py'), '#!/usr/bin/python3\r\nprint(1)\r\n', { mode: 0o755 })
  writeFileSync(join(folder, 'train.py'), 'print(1)\n', { mode: 0o644 })
  writeFileSync(join(folder, 'built'), 'ELF', { mode: 0o755 })
  mkdirSync(join(folder, 'src'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function told(program: string, code: 'ENOENT' | 'EACCES', path = '/usr/bin'): string {
  return errorText(startError(program, Object.assign(new Error(code), { code }), { folder, path }))
}

describe('a program that cannot be started', () => {
  it('because what its first line names is not there, is not called missing', () => {
    expect(told('./wrong.py', 'ENOENT')).toBe(
      'unhang: ./wrong.py: there is no /no/such/python3, which is to run it\n  Correct its first line ' +
        '(#!/no/such/python3); or name what runs it first: unhang run -- python3 ./wrong.py',
    )
    expect(told('wrong.py', 'ENOENT', folder)).toContain('there is no /no/such/python3')
  })
  it('because its lines end as on Windows, says so', () => {
    expect(told('./windows.py', 'ENOENT')).toContain('its first line ends as on Windows (CR LF)')
  })
  it('because it is of another system, is not called missing', () => {
    expect(told('./built', 'ENOENT')).toContain('the loader that it asks for is not there')
  })
  it('because it is not there, says where it was looked for', () => {
    expect(told('./nothing.py', 'ENOENT')).toContain(
      `there is no such program\n  A path is relative to the current folder, ${folder}.`,
    )
    expect(told(join(folder, 'nothing'), 'ENOENT')).toContain(`${folder} has no such file.`)
    expect(told('/no/such/folder/python', 'ENOENT')).toContain('The folder /no/such/folder does not exist.')
    expect(told('nothing', 'ENOENT')).toContain(
      'It was looked for in PATH; a program of this folder needs its path: ./',
    )
    expect(told('src', 'ENOENT')).toContain('It was looked for in PATH; a program of this folder needs its path: ./')
  })
  it('because it was named without its path, has what to type', () => {
    expect(told('train.py', 'ENOENT')).toContain('needs its path: unhang run -- python3 ./train.py')
    expect(told('built', 'ENOENT')).toContain('needs its path: unhang run -- ./built')
  })
  it('because it is a folder, is not to be made executable', () => {
    expect(told('./src', 'EACCES')).toBe(
      'unhang: ./src: it is a folder, not a program\n  Name the program in it: unhang run -- src/PROGRAM',
    )
  })
  it('because it is not executable, has what to type', () => {
    expect(told('./train.py', 'EACCES')).toContain(
      'Use `chmod +x`, or name what runs it first: unhang run -- python3 ./train.py',
    )
  })
})
