import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeCommand, type CommandTarget } from '../../../../src/processes'

const words = (line: string): string[] => line.split(' ')

describe('the command line of a Node', () => {
  test.each<[line: string, target: CommandTarget, args: string]>([
    ['node server.js --port 1', { kind: 'script', path: 'server.js' }, '--port 1'],
    ['node20 --max-old-space-size=4096 -r ./setup.js server.js x', { kind: 'script', path: 'server.js' }, 'x'],
    ['node --env-file .env --import tsx server.ts x', { kind: 'script', path: 'server.ts' }, 'x'],
    ['node --env-file=.env --conditions=dev server.ts x', { kind: 'script', path: 'server.ts' }, 'x'],
    ['node --inspect server.js x', { kind: 'script', path: 'server.js' }, 'x'],
    ['node -- -server.js x', { kind: 'script', path: '-server.js' }, 'x'],
    ['node -e go() x', { kind: 'code', option: '-e', code: 'go()' }, 'x'],
    ['node -pe 1+1 x', { kind: 'code', option: '-pe', code: '1+1' }, 'x'],
    ['node --eval=go() x', { kind: 'code', option: '--eval', code: 'go()' }, 'x'],
    ['node -e go() -r ./setup.js x', { kind: 'code', option: '-e', code: 'go()' }, 'x'],
    ['node - x', { kind: 'input' }, 'x'],
  ])('%s', (line, target, args) => {
    expect(nodeCommand(words(line))).toMatchObject({ target, args: words(args) })
  })

  test.each(['node', 'node -i', 'node -p', 'node -e'])('%s reads its input', (line) => {
    expect(nodeCommand(words(line))?.target).toEqual({ kind: 'input' })
  })

  test('has its options, with their values', () => {
    expect(nodeCommand(words('node --inspect-brk=9230 -r ./a.js --permission b.js --inspect'))?.options).toEqual([
      { name: '--inspect-brk', value: '9230' },
      { name: '-r', value: './a.js' },
      { name: '--permission' },
    ])
  })

  test.each([[[]], [['python3', 'a.js']], [['nice', 'node', 'a.js']]])('is none: %j', (argv) => {
    expect(nodeCommand(argv)).toBeUndefined()
  })
})

test('options never change which script is run, nor its arguments', () => {
  const option = fc.oneof(
    fc.constantFrom(['--inspect'], ['--enable-source-maps'], ['--max-old-space-size=4096'], ['--no-warnings']),
    fc
      .tuple(
        fc.constantFrom('-r', '--require', '--import', '-C', '--env-file', '--title', '--inspect-port'),
        fc.string(),
      )
      .filter(([, value]) => !value.startsWith('-'))
      .map((pair): string[] => pair),
  )
  const script = fc.string({ minLength: 1 }).filter((path) => !path.startsWith('-'))
  fc.assert(
    fc.property(fc.array(option), script, fc.array(fc.string()), (options, path, args) => {
      expect(nodeCommand(['node', ...options.flat(), path, ...args])).toMatchObject({
        target: { kind: 'script', path },
        args,
      })
    }),
  )
})
