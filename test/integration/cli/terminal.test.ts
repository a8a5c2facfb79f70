import { afterEach, beforeEach, expect, it } from 'vitest'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

it('terminates the pool on Ctrl-C and lists what is not done', async () => {
  const terminal = workspace.start(['pool', 'Stuck'])
  const pool = await workspace.untilPool('Stuck', ({ counts }) => counts.done === 10)
  terminal.signal('SIGINT')
  const { code, signal, stderr } = await terminal.finished
  expect({ code, signal }).toEqual({ code: 1, signal: null })
  expect(stderr).toContain('crawl(login)')
  expect(pool.workers).not.toEqual([])
  for (const worker of pool.workers) expect(await lives(worker.pid)).toBe(false)
})

it('tells the issue after the first Ctrl-C and kills on the second', async () => {
  const terminal = workspace.start(['pool', 'Stubborn'])
  const pool = await workspace.untilPool('Stubborn', ({ counts }) => counts.done === 4)
  const stubborn = pool.workers.find((worker) => worker.status === 'busy')!
  terminal.signal('SIGINT')
  await until('the issue', () => (terminal.stderr.includes(`pid=${stubborn.pid}`) ? true : undefined))
  expect(await lives(stubborn.pid)).toBe(true)
  terminal.signal('SIGINT')
  expect((await terminal.finished).code).toBe(1)
  expect(await lives(stubborn.pid)).toBe(false)
})

it('does not wait for a second signal from a program: says what is left, and ends', async () => {
  const terminal = workspace.start(['pool', 'Stubborn'])
  const pool = await workspace.untilPool('Stubborn', ({ counts }) => counts.done === 4)
  terminal.signal('SIGTERM')
  const { code, stderr } = await terminal.finished
  expect(code).toBe(1)
  expect(stderr).toMatch(/still alive: PoolWorker-\d+, pid=\d+/)
  expect(stderr).toContain(`unhang kill ${pool.id}`)
})

it('leaves the pool running when the terminal is closed', async () => {
  const terminal = workspace.start(['pool', 'Stuck'])
  await workspace.untilPool('Stuck', ({ counts }) => counts.running > 0)
  terminal.signal('SIGHUP')
  expect((await terminal.finished).signal).toBe('SIGHUP')
  const pool = await workspace.untilPool('Stuck', ({ counts }) => counts.done === 10)
  expect(pool.state).not.toBe('ended')
})

it('returns at once with --detach and prints the id of the pool, and nothing else, on stdout', async () => {
  const { code, stdout } = await workspace.run('pool', 'Stuck', '--detach')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^pool-\w+\n$/)
  expect((await workspace.pools()).map((pool) => pool.id)).toEqual([stdout.trim()])
})

it('gives the pool the environment of the terminal it was launched from', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  await workspace.writeTasks([{ label: 'Env', command: 'echo "it is $UNHANG_TEST_COLOUR"', items: ['a'] }])
  const { stdout } = await workspace.start(['pool', 'Env'], { env: { UNHANG_TEST_COLOUR: 'green' } }).finished
  expect(stdout).toContain('it is green')
})

it('prints the lines of two terminals each to its own', async () => {
  await workspace.writeTasks([
    { label: 'One', command: ['echo', 'one ${item}'], items: { range: [0, 20] } },
    { label: 'Two', command: ['echo', 'two ${item}'], items: { range: [0, 20] } },
  ])
  const [one, two] = await Promise.all([workspace.run('pool', 'One'), workspace.run('pool', 'Two')])
  expect([one.code, two.code]).toEqual([0, 0])
  expect(one.stdout.match(/\| one \d+$/gm)).toHaveLength(20)
  expect(two.stdout.match(/\| two \d+$/gm)).toHaveLength(20)
  expect(one.stdout).not.toContain('two')
})

it('passes on every line of a burst, from the first one', async () => {
  await workspace.writeTasks([{ label: 'Burst', command: 'seq 1 50000', items: ['a', 'b', 'c'], processes: 3 }])
  const { code, stdout } = await workspace.run('pool', 'Burst')
  expect(code).toBe(0)
  const counts = new Map<string, number>()
  for (const line of stdout.trim().split('\n'))
    counts.set(line.split(' | ')[0]!, (counts.get(line.split(' | ')[0]!) ?? 0) + 1)
  expect([...counts.values()]).toEqual([50_000, 50_000, 50_000])
})

it('does not block on a reader that stands still, and still ends on Ctrl-C', async () => {
  await workspace.writeTasks([{ label: 'Endless', command: 'seq 1 2000000; sleep 600', items: ['a'], processes: 1 }])
  const terminal = workspace.start(['pool', 'Endless'])
  terminal.child.stdout.pause()
  const pool = await workspace.untilPool('Endless', ({ counts }) => counts.running === 1)
  terminal.signal('SIGINT')
  await workspace.untilPool('Endless', ({ state }) => state === 'ended')
  expect(pool.workers[0]!.pid).toBeGreaterThan(1)
  terminal.child.stdout.resume()
  expect((await terminal.finished).code).toBe(1)
})

it('goes on to the end when the reader of its output has seen enough', async () => {
  await workspace.writeTasks([{ label: 'Many', command: ['echo', '${item}'], items: { range: [0, 50] } }])
  const terminal = workspace.start(['pool', 'Many'])
  terminal.child.stdout.destroy()
  const { code, stderr } = await terminal.finished
  expect(code).toBe(0)
  expect(stderr).toContain('all 50 tasks done')
})

it('shows a failed task in the table with its exit code', async () => {
  await workspace.writeTasks([{ label: 'Fails', command: 'test "${item}" = good', items: ['good', 'bad'] }])
  const { code, stderr } = await workspace.run('pool', 'Fails')
  expect(code).toBe(1)
  expect(stderr).toMatch(/failed +.*exit 1/)
  expect(stderr).toContain('1 of 2 done, 1 failed')
})
