import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pythonCommand, type CommandTarget, type InterpreterOption } from '../../../../src/processes'

const words = (line: string): string[] => line.split(' ')

describe('the command line of a Python', () => {
  test.each<[line: string, target: CommandTarget, args: string]>([
    ['python3 train.py --fast', { kind: 'script', path: 'train.py' }, '--fast'],
    ['python3 -u -B train.py -c x', { kind: 'script', path: 'train.py' }, '-c x'],
    ['python3 -m pytest -k slow', { kind: 'module', name: 'pytest' }, '-k slow'],
    ['python3 -mpytest tests', { kind: 'module', name: 'pytest' }, 'tests'],
    ['python3 -Im pytest tests', { kind: 'module', name: 'pytest' }, 'tests'],
    ['python3 -Bc go() -c x', { kind: 'code', option: '-c', code: 'go()' }, '-c x'],
    ['python3 -cgo() x', { kind: 'code', option: '-c', code: 'go()' }, 'x'],
    ['python3 -X dev -W error train.py x', { kind: 'script', path: 'train.py' }, 'x'],
    ['python3 -Xdev -Werror train.py x', { kind: 'script', path: 'train.py' }, 'x'],
    ['python3 -BX dev train.py x', { kind: 'script', path: 'train.py' }, 'x'],
    ['python3 --check-hash-based-pycs always train.py x', { kind: 'script', path: 'train.py' }, 'x'],
    ['pypy3 --jit off train.py x', { kind: 'script', path: 'train.py' }, 'x'],
    ['python3 -- -train.py x', { kind: 'script', path: '-train.py' }, 'x'],
    ['python3 - x', { kind: 'input' }, 'x'],
  ])('%s', (line, target, args) => {
    expect(pythonCommand(words(line))).toMatchObject({ target, args: words(args) })
  })

  test.each(['python3', 'python3 -i', 'python3 -c', 'python3 -m', 'python3 -W'])('%s reads its input', (line) => {
    expect(pythonCommand(words(line))).toMatchObject({ target: { kind: 'input' }, args: [] })
  })

  test('has its options one by one, with their values', () => {
    expect(pythonCommand(words('python3.13t -IuW error -Xdev --help-all train.py -E'))?.options).toEqual([
      { name: '-I' },
      { name: '-u' },
      { name: '-W', value: 'error' },
      { name: '-X', value: 'dev' },
      { name: '--help-all' },
    ])
  })

  test('keeps the interpreter as it was written', () => {
    expect(pythonCommand(['/venv/bin/python3-dbg', 'a.py'])?.interpreter).toBe('/venv/bin/python3-dbg')
  })

  test.each([[[]], [['node', 'a.py']], [['env', 'python3', 'a.py']], [['']]])('is none: %j', (argv) => {
    expect(pythonCommand(argv)).toBeUndefined()
  })
})

const flag = fc
  .constantFrom(...Array.from('bBdEhiIOPqRsStuvVx'))
  .map((letter): InterpreterOption => ({ name: `-${letter}` }))
const valued = fc
  .tuple(fc.constantFrom('-W', '-X', '--check-hash-based-pycs'), fc.string())
  .map(([name, value]): InterpreterOption => ({ name, value }))
const target = fc.oneof(
  fc.string({ minLength: 1 }).map((name): CommandTarget => ({ kind: 'module', name })),
  fc.string().map((code): CommandTarget => ({ kind: 'code', option: '-c', code })),
  fc
    .string({ minLength: 1 })
    .filter((path) => !path.startsWith('-'))
    .map((path): CommandTarget => ({ kind: 'script', path })),
)

function written(target_: CommandTarget): string[] {
  switch (target_.kind) {
    case 'script':
      return [target_.path]
    case 'module':
      return ['-m', target_.name]
    case 'code':
      return ['-c', target_.code]
    case 'input':
      return []
  }
}

test('any Python is read back as it was written, whatever its options, code and arguments hold', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(flag, valued)), target, fc.array(fc.string()), (options, runs, args) => {
      const argv = [
        'python3',
        ...options.flatMap(({ name, value }) => (value === undefined ? [name] : [name, value])),
        ...written(runs),
        ...args,
      ]
      expect(pythonCommand(argv)).toEqual({ interpreter: 'python3', options, target: runs, args })
    }),
  )
})

test('letters may be put together without a change of what is run', () => {
  fc.assert(
    fc.property(fc.array(flag, { minLength: 1 }), target, (options, runs) => {
      const [first = '', ...rest] = written(runs)
      const letters = options.map(({ name }) => name.slice(1)).join('')
      const argv = first.startsWith('-') ? [`-${letters}${first.slice(1)}`, ...rest] : [`-${letters}`, first, ...rest]
      expect(pythonCommand(['python3', ...argv])).toMatchObject({ options, target: runs })
    }),
  )
})
