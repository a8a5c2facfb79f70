import { describe, expect, test } from 'vitest'
import { interpreterKind } from '../../../../src/processes'

describe('an interpreter is known by the name of its file', () => {
  test.each([
    'python',
    'python3',
    'python3.13',
    'python3.13t',
    'python3.13td',
    'python3-dbg',
    'python3.11-dbg',
    'python3.12d',
    'python3.7m',
    'python3-intel64',
    'pythonw.exe',
    'python3w.exe',
    'python_d.exe',
    'PYTHON.EXE',
    'pypy3',
    'pypy3.10',
    '/venv/bin/python3',
    'C:\\Python313\\python.exe',
    '/Python.app/Contents/MacOS/Python',
  ])('%s is Python', (program) => {
    expect(interpreterKind(program)).toBe('python')
  })
  test.each([
    'node',
    'nodejs',
    'node20',
    'node-20',
    'node20.19.1',
    'node.exe',
    'C:\\nodejs\\node.exe',
    '/usr/bin/nodejs',
  ])('%s is Node', (program) => {
    expect(interpreterKind(program)).toBe('node')
  })
  test.each([
    '',
    'python3-config',
    'python-argcomplete',
    'pythonic',
    'ipython3',
    'nodemon',
    'node-gyp',
    'bun',
    'sh',
    'python.py',
  ])('%j is neither', (program) => {
    expect(interpreterKind(program)).toBeUndefined()
  })
})
