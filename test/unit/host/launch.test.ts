import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkDefinition } from '../../../src/host/launch/checkDefinition'
import { LaunchError } from '../../../src/host/terms/launchError'
import { findTask } from '../../../src/host/launch/findTask'
import { resolveVariables } from '../../../src/host/launch/variables'
import { keyOf, type DefinitionProblem } from '../../../src/protocol/schemas'
import { readHere } from '../files/readHere'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'uh-')))
  mkdirSync(join(root, 'src'))
  mkdirSync(join(root, 'bin'))
  for (const name of ['b.txt', 'a.txt', 'c.md']) writeFileSync(join(root, 'src', name), '')
  writeFileSync(join(root, 'work.js'), '')
  writeFileSync(join(root, 'bin', 'tool'), '#!/bin/sh\n')
  chmodSync(join(root, 'bin', 'tool'), 0o755)
  execFileSync('mkfifo', [join(root, 'pipe')])
  writeFileSync(join(root, 'lines.txt'), 'one\r\n\ntwo\nthrée')
  writeFileSync(join(root, 'items.json'), '[1, {"a": 2}]')
  writeFileSync(join(root, 'object.json'), '{}')
  writeFileSync(join(root, 'broken.json'), '[1,')
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const check = (definition: unknown) =>
  checkDefinition(definition, root, { PATH: '/usr/bin:/bin', HOME: '/home/me', WHO: 'you' }, undefined, {
    purpose: 'launch',
    read: readHere,
  })
const items = async (source: unknown) => {
  const result = await check({ command: 'true', items: source })
  if (!result.ok) throw new LaunchError('test', result.problems)
  const { items: found } = result.checked
  return { total: found.total, all: [...found.iterate()] }
}

describe('items', () => {
  it.each<[string, unknown, unknown[]]>([
    ['an array', ['x', 1, null], ['x', 1, null]],
    ['a glob, sorted', { glob: 'src/*.txt' }, ['src/a.txt', 'src/b.txt']],
    ['globs with one that excludes', { glob: ['src/*', '!**/a.*'] }, ['src/b.txt', 'src/c.md']],
    ['the lines of a file, without empty ones', { lines: 'lines.txt' }, ['one', 'two', 'thrée']],
    ['a JSON file', { json: 'items.json' }, [1, { a: 2 }]],
    ['a range', { range: [0, 5] }, [0, 1, 2, 3, 4]],
    ['a range with a step', { range: [1, 2, 0.25] }, [1, 1.25, 1.5, 1.75]],
    ['a range downwards', { range: [3, 0, -1] }, [3, 2, 1]],
  ])('come from %s', async (_, source, expected) => {
    expect(await items(source)).toEqual({ total: expected.length, all: expected })
  })

  it('of a million are not made before they are asked for', async () => {
    const result = await check({ command: 'true', items: { range: [0, 1e9] } })
    expect(result.ok && result.checked.items.total).toBe(1e9)
  })

  it('from a long file are all of its lines', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index} ${'ü'.repeat(index % 7)}`)
    writeFileSync(join(root, 'long.txt'), lines.join('\n'))
    expect((await items({ lines: 'long.txt' })).all).toEqual(lines)
  })

  it('can be read twice', async () => {
    const result = await check({ command: 'true', items: { lines: 'lines.txt' } })
    if (!result.ok) throw new Error('not ok')
    expect([...result.checked.items.iterate()]).toEqual([...result.checked.items.iterate()])
  })
})

describe('before a launch', () => {
  const wrong: [string, Record<string, unknown>, string, RegExp][] = [
    [
      'a glob that matches nothing',
      { command: 'true', items: { glob: 'none/**' } },
      'items.glob',
      /no file in .* matches "none\/\*\*"/,
    ],
    [
      'a file of lines that is not there',
      { command: 'true', items: { lines: 'none.txt' } },
      'items.lines',
      /no file "none.txt"/,
    ],
    [
      'a pipe that nobody writes to as file of lines',
      { command: 'true', items: { lines: 'pipe' } },
      'items.lines',
      /is no regular file but a FIFO/,
    ],
    [
      'a pipe that nobody writes to as JSON file',
      { command: 'true', items: { json: 'pipe' } },
      'items.json',
      /is no regular file but a FIFO/,
    ],
    [
      'a folder as file of lines',
      { command: 'true', items: { lines: 'src' } },
      'items.lines',
      /is no regular file but a folder/,
    ],
    [
      'a JSON file that is not there',
      { command: 'true', items: { json: 'none.json' } },
      'items.json',
      /no file "none.json"/,
    ],
    [
      'a JSON file without an array',
      { command: 'true', items: { json: 'object.json' } },
      'items.json',
      /holds an object, not an array/,
    ],
    ['a JSON file that is none', { command: 'true', items: { json: 'broken.json' } }, 'items.json', /is no JSON/],
    ['a module that is not there', { module: './none.js', items: [1] }, 'module', /no file ".\/none.js"/],
    ['a module without its ending', { module: './work#run', items: [1] }, 'module', /Did you mean ".\/work.js#run"/],
    ['a module with nothing after #', { module: './work.js#', items: [1] }, 'module', /name after the #/],
    ['a program that is not in PATH', { command: ['no-such-program'], items: [1] }, 'command[0]', /not found in PATH/],
    ['a program that is not at its path', { command: ['./none'], items: [1] }, 'command[0]', /no program .*none/],
    ['a program that is not executable', { command: ['./work.js'], items: [1] }, 'command[0]', /chmod \+x/],
    ['a cwd that is not there', { command: ['./bin/tool'], items: { glob: '*' }, cwd: 'none' }, 'cwd', /no folder/],
    ['a cwd that is a file', { command: 'true', items: [1], cwd: 'work.js' }, 'cwd', /no folder/],
    [
      'a variable that only VS Code knows',
      { command: ['echo', '${file}'], items: [1] },
      'command[1]',
      /only VS Code can resolve/,
    ],
  ]
  it.each(wrong)('is found out: %s', async (_, definition, key, message) => {
    const result = await check(definition)
    const problems: DefinitionProblem[] = result.ok ? [] : result.problems
    expect(problems.map((problem) => keyOf(problem.path))).toEqual([key])
    expect(problems[0]?.message).toMatch(message)
    expect(problems[0]?.message).toContain(`"${key}"`)
  })

  it.each<[string, Record<string, unknown>]>([
    ['a program in PATH', { command: ['sh', '-c', 'true'], items: [1] }],
    [
      'a program in the PATH of the definition',
      { command: ['tool'], items: [1], env: { PATH: '${workspaceFolder}/bin' } },
    ],
    ['a program relative to cwd', { command: ['./tool'], items: [1], cwd: 'bin' }],
    ['whatever a shell may find', { command: 'no-such-program ${HOME}', items: [1] }],
    ['a module with an export', { module: './work.js#run', items: [1] }],
    ['a module in a folder above cwd', { module: '../work.js', items: [1], cwd: 'src' }],
    ['a program that comes from the item', { command: ['${item}'], items: ['ls'] }],
    ['files relative to cwd', { command: 'true', items: { glob: '*.txt' }, cwd: '${workspaceFolder}/src' }],
  ])('passes: %s', async (_, definition) => {
    expect(await check(definition)).toMatchObject({ ok: true })
  })
})

describe('variables', () => {
  const context = { workspaceFolder: '/w/demo', env: { WHO: 'you', HOME: '/home/me' } }
  it.each([
    ['${workspaceFolder}/x', '/w/demo/x'],
    ['${workspaceFolderBasename}', 'demo'],
    ['${env:WHO} and ${env:NOBODY}.', 'you and .'],
    ['${userHome}', '/home/me'],
    ['a${pathSeparator}b${/}c', 'a/b/c'],
    ['${item} ${index} ${unknown}', '${item} ${index} ${unknown}'],
    ['$HOME $(x)', '$HOME $(x)'],
  ])('%s', (text, expected) => {
    expect(resolveVariables({ a: [text] }, context)).toEqual({ value: { a: [expected] }, problems: [] })
  })

  it('of the editor are named with their key', () => {
    const { problems } = resolveVariables(
      { items: { glob: ['${relativeFile}'] }, env: { A: '${config:a.b}' } },
      context,
    )
    expect(problems.map(({ path }) => keyOf(path))).toEqual(['items.glob[0]', 'env.A'])
  })
})

describe('a label', () => {
  const write = (text: string) => {
    mkdirSync(join(root, '.vscode'), { recursive: true })
    writeFileSync(join(root, '.vscode', 'tasks.json'), text)
  }
  const two =
    '{ // pools\n "tasks": [{"type":"pool","label":"Resize","command":"true","items":[]},' +
    '{"type":"pool","label":"Count","command":"true","items":[]},{"type":"shell","label":"Build"},] }'

  it('finds its task, comments and trailing commas or not', async () => {
    write(two)
    expect((await findTask(root, 'Count', readHere)).definition).toMatchObject({ label: 'Count' })
  })

  it.each<[string, string | undefined, string, RegExp]>([
    ['nobody has', two, 'Deploy', /No pool task is called "Deploy"\. There are: "Resize", "Count"\./],
    ['that is mistyped', two, 'Resise', /Did you mean "Resize"\?/],
    ['of another type', two, 'Build', /has the type "shell"/],
    ['that two have', two.replace('Count', 'Resize'), 'Resize', /Two pool tasks/],
    ['in a file without pools', '{"tasks":[]}', 'Resize', /no task of "type": "pool"/],
    [
      'in a file that is broken',
      '{\n  "tasks": [\n    {"type" "pool"}\n]}',
      'Resize',
      /tasks\.json:3:13 is no valid JSON/,
    ],
    ['without a file', undefined, 'Resize', /There is no .*tasks\.json/],
  ])('%s is told so', async (_, text, label, message) => {
    if (text !== undefined) write(text)
    const error: unknown = await findTask(root, label, readHere).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LaunchError)
    expect((error as LaunchError).data.problems.map(({ key }) => key)).toEqual(['label'])
    expect((error as LaunchError).message).toMatch(message)
  })
})
