import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram } from './programs'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

it('takes its node workers along when the host is killed, within 2 s', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  const pool = await workspace.untilPool('Stuck', ({ workers, counts }) => workers.length === 4 && counts.done === 10)
  process.kill(await workspace.hostPid(), 'SIGKILL')
  await until(
    'the workers end',
    async () => {
      const left = await Promise.all(pool.workers.map((worker) => lives(worker.pid)))
      return left.includes(true) ? undefined : true
    },
    { withinMs: 2000 },
  )
})

it('shows a command that outlived its host as orphaned, and kill ends it', async () => {
  await workspace.run('pool', '--detach', 'Stubborn')
  const before = await workspace.untilPool('Stubborn', ({ counts }) => counts.done === 4)
  const survivor = before.workers.find((worker) => worker.status === 'busy')!
  process.kill(await workspace.hostPid(), 'SIGKILL')

  const text = await workspace.run('ps')
  expect(text.stdout).toContain('orphaned')
  expect(text.stdout).toContain(String(survivor.pid))
  const [orphaned, ...others] = await workspace.pools()
  expect(others).toEqual([])
  expect(orphaned).toMatchObject({ name: 'Stubborn', state: 'orphaned' })
  expect(orphaned!.workers.map((worker) => worker.pid)).toEqual([survivor.pid])

  expect(await workspace.run('kill', String(survivor.pid))).toMatchObject({ code: 0, stdout: '' })
  expect(await lives(survivor.pid)).toBe(false)
})

it('finds a watched program again that outlived it, by its pid, and does not end it', async () => {
  await workspace.write('waits.py', 'import time\ntime.sleep(600)\n')
  const run = runProgram(workspace, 'waits.py')
  const { pid } = (await workspace.untilPool('waits.py', ({ state }) => state === 'run')).workers[0]!
  try {
    process.kill(await workspace.hostPid(), 'SIGKILL')
    expect((await workspace.run('why')).stdout).toContain(
      `waits.py (pid ${pid}) runs on, unwatched since the host ended: unhang attach ${pid}\n`,
    )
    expect(await workspace.run('host', 'stop')).toMatchObject({ code: 0 })
    expect(await lives(pid)).toBe(true)
  } finally {
    process.kill(pid, 'SIGKILL')
    await run.finished
  }
})

it('tells who follows a pool that the host is gone', async () => {
  const terminal = workspace.start(['pool', 'Stuck'])
  await workspace.untilPool('Stuck', ({ counts }) => counts.done === 10)
  process.kill(await workspace.hostPid(), 'SIGKILL')
  const { code, stderr } = await terminal.finished
  expect(code).toBe(1)
  expect(stderr).toMatch(/unhang: .*host.*ended/)
  expect(stderr).not.toMatch(/^ +at /m)
})
