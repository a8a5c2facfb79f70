import { afterAll, beforeAll, expect, it } from 'vitest'
import { Workspace } from './workspace'

// One workspace and one host for all: that a bad definition leaves the host as it was is part of what is tested.
let workspace: Workspace
beforeAll(async () => {
  workspace = await Workspace.create()
})
afterAll(async () => {
  await workspace.dispose()
})

const good = { label: 'Bad', command: ['echo', '${item}'], items: ['a'] }
const goodModule = { label: 'Bad', module: './crawl.js#crawl', items: ['home'] }

/** What is wrong, the definition, and the key that the message must name. */
const cases: [string, Record<string, unknown>, string][] = [
  ['an unknown key', { ...good, procesess: 4 }, 'procesess'],
  ['both a command and a module', { ...good, module: './crawl.js' }, 'module'],
  ['neither a command nor a module', { label: 'Bad', items: ['a'] }, 'command'],
  ['a text where a number belongs', { ...good, processes: 'four' }, 'processes'],
  ['a number where items belong', { ...good, items: 12 }, 'items'],
  ['a negative number of processes', { ...good, processes: -1 }, 'processes'],
  ['no processes at all', { ...good, processes: 0 }, 'processes'],
  ['a negative timeout', { ...good, timeoutMs: -5 }, 'timeoutMs'],
  ['negative retries', { ...good, retries: -1 }, 'retries'],
  ['a glob that matches nothing', { ...good, items: { glob: 'nothing/**/*.xyz' } }, 'items'],
  ['a file of lines that is missing', { ...good, items: { lines: 'missing.txt' } }, 'items'],
  ['a shell that would read the item as code', { ...good, command: ['sh', '-c', 'echo ${item}'] }, 'command'],
  ['a missing module', { ...goodModule, module: './missing.js' }, 'module'],
  ['a missing export', { ...goodModule, module: './crawl.js#fetch' }, 'module'],
  ['a module that throws when it is loaded', { ...goodModule, module: './throws.js' }, 'module'],
  ['a Python file in the place of a module', { label: 'Bad', python: './resize.py:resize', items: ['a'] }, 'python'],
  ['a Python module that is missing', { label: 'Bad', python: 'missing:resize', items: ['a'] }, 'python'],
  [
    'a Python interpreter that is missing',
    { label: 'Bad', python: 'resize:resize', pythonPath: './python', items: ['a'] },
    'pythonPath',
  ],
  ['a command that is not found', { ...good, command: ['no-such-program-here', '${item}'] }, 'command'],
  ['a folder that does not exist', { ...good, cwd: 'missing-folder' }, 'cwd'],
]

it.each(cases)('refuses %s, naming the key, and leaves no pool behind', async (_, definition, key) => {
  await workspace.writeTasks([definition])
  await workspace.write('throws.js', 'throw new Error("not today")')
  const { code, stdout, stderr } = await workspace.run('pool', 'Bad')
  expect(stderr).toMatch(new RegExp(`\\b${key}\\b`))
  expect(stderr).not.toMatch(/^ +at /m)
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect((await workspace.pools()).filter((pool) => pool.state !== 'ended')).toEqual([])
})

it('tells every problem of a definition at once', async () => {
  await workspace.writeTasks([{ ...good, processes: -1, timeoutMs: 'soon', nonsense: true }])
  const { stderr } = await workspace.run('pool', 'Bad')
  for (const key of ['processes', 'timeoutMs', 'nonsense']) expect(stderr).toContain(key)
})

it('names the labels that exist when there is none like this', async () => {
  await workspace.writeTasks([good, { ...good, label: 'Stuck' }])
  const { code, stderr } = await workspace.run('pool', 'Stuk')
  expect(code).toBe(1)
  expect(stderr).toContain('Stuk')
  for (const label of ['Bad', 'Stuck']) expect(stderr).toContain(label)
})

it('says where a tasks.json that is no JSON breaks', async () => {
  await workspace.write('.vscode/tasks.json', '{ "tasks": [ }')
  const { code, stderr } = await workspace.run('pool', 'Stuck')
  expect(code).toBe(1)
  expect(stderr).toContain('tasks.json')
})

it('fails a pool whose workers die on start, with their exit code, instead of starting them for ever', async () => {
  await workspace.writeTasks([{ ...goodModule, module: './dies.js#run' }])
  await workspace.write('dies.js', 'console.error("no licence"); process.exit(3)')
  const { code, stderr } = await workspace.run('pool', 'Bad')
  expect(code).toBe(1)
  expect(stderr).toContain('3')
  expect(stderr).toContain('no licence')
})
