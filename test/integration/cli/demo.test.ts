import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PsPool } from '../../../src/cli/ps/json'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

const alive = (pool: PsPool) => pool.workers.filter((worker) => worker.status !== 'exited')
const verdictOf = (pool: PsPool, code: string) => alive(pool).find((worker) => worker.task?.verdict?.code === code)

it('counts words: every task done, a line each with the name of its worker, exit code 0', async () => {
  const { code, stdout, stderr } = await workspace.run('pool', 'Word count')
  expect(stderr).toMatch(/all \d+ tasks done/)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^PoolWorker-\d+ \| errors\.ts: \d+ words/m)
  expect(
    stdout
      .trim()
      .split('\n')
      .every((line) => /^PoolWorker-\d+ \| /.test(line)),
  ).toBe(true)
})

it('shows what is stuck and what is slow in another terminal, and terminate ends it without an issue', async () => {
  const terminal = workspace.start(['pool', 'Stuck'])
  const pool = await workspace.untilPool(
    'Stuck',
    (seen) => verdictOf(seen, 'no-progress') !== undefined && verdictOf(seen, 'slow') !== undefined,
  )
  expect(alive(pool)).toHaveLength(4)
  expect(pool.counts).toMatchObject({ done: 10, running: 2, stuck: 1 })
  expect(verdictOf(pool, 'no-progress')?.task).toMatchObject({ label: 'crawl(login)', stuck: true })
  expect(verdictOf(pool, 'slow')?.task).toMatchObject({ label: 'crawl(blog)', stuck: false })
  for (const worker of alive(pool)) {
    expect(worker.pid).toBeGreaterThan(1)
    expect(await lives(worker.pid)).toBe(true)
    expect(worker.cpuPercent).not.toBeNull()
    expect(worker.memoryBytes).toBeGreaterThan(1_000_000)
    if (worker.task !== null) expect(worker.task.elapsedMs).toBeGreaterThanOrEqual(3000)
  }
  expect(verdictOf(pool, 'slow')?.cpuPercent).toBeGreaterThan(20)

  const terminated = await workspace.run('terminate', 'Stuck')
  expect(terminated).toMatchObject({ code: 0, stdout: '', stderr: '' })
  for (const worker of pool.workers) expect(await lives(worker.pid)).toBe(false)

  const { code, stdout, stderr } = await terminal.finished
  expect(code).toBe(1)
  expect(stdout).toMatch(/^PoolWorker-\d+ \| home: ok$/m)
  expect(stderr).toMatch(/^stuck \(no-progress\): crawl\(login\)/m)
  expect(stderr).toMatch(/^slow, not stuck: crawl\(blog\)/m)
  expect(stderr).toMatch(/TASK +STATE/)
  expect(stderr).toContain('10 of 12 done')
})

it('says in plain text what ps --json says', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  await workspace.untilPool('Stuck', (seen) => verdictOf(seen, 'no-progress') !== undefined && seen.counts.done === 10)
  const { stdout } = await workspace.run('ps')
  expect(stdout).toMatch(/^Stuck {2}pool-\w+ {2}\w+ {2}10 of 12 done, 2 running, 1 stuck$/m)
  expect(stdout).toMatch(/PoolWorker-\d+ +\d+ +busy +\d+ % +\d+ MB +[\d.]+ s +crawl\(login\) {2}stuck: no-progress/)
})

it('names the worker that ignores SIGTERM and its pid, once, and kill ends it', async () => {
  const terminal = workspace.start(['pool', 'Stubborn'])
  await until('the stubborn worker', () => (terminal.stdout.includes('not listening to SIGTERM') ? true : undefined))
  const pool = await workspace.untilPool('Stubborn', ({ counts }) => counts.done === 4)
  const [stubborn, ...others] = alive(pool)
  expect(others).toEqual([])

  const terminated = await workspace.run('terminate', 'Stubborn')
  expect(terminated.code).toBe(1)
  const issues = terminated.stdout.trim().split('\n')
  expect(issues).toHaveLength(1)
  expect(issues[0]).toContain(stubborn!.name)
  expect(issues[0]).toContain(`pid=${stubborn!.pid}`)
  expect(await lives(stubborn!.pid)).toBe(true)
  // A second call still sees the survivor.
  expect((await workspace.run('terminate', 'Stubborn')).stdout).toContain(`pid=${stubborn!.pid}`)

  expect(await workspace.run('kill', 'Stubborn')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(await lives(stubborn!.pid)).toBe(false)
  const { code, stderr } = await terminal.finished
  expect(code).toBe(1)
  expect(stderr).toContain('SIGKILL')
})

it('terminates the stubborn pool without an issue when it may use SIGKILL', async () => {
  await workspace.run('pool', '--detach', 'Stubborn')
  await workspace.untilPool('Stubborn', ({ counts }) => counts.done === 4)
  const { code, stdout } = await workspace.run('terminate', 'Stubborn', '--sigkill', '--grace-ms', '200', '--json')
  const answer = JSON.parse(stdout) as { issues: string[]; reports: { workers: { outcome: string }[] }[] }
  expect(answer.issues).toEqual([])
  expect(answer.reports[0]?.workers.map((worker) => worker.outcome)).toEqual(['killed'])
  expect(code).toBe(0)
})
