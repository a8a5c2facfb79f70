import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram } from './programs'
import { lives, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

it('ends one worker by its pid, and the pool goes on with another', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  const pool = await workspace.untilPool('Stuck', ({ counts }) => counts.done === 10)
  const victim = pool.workers.find((worker) => worker.task?.label === 'crawl(login)')!
  expect(await workspace.run('terminate', String(victim.pid))).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(await lives(victim.pid)).toBe(false)
  const after = await workspace.untilPool(
    'Stuck',
    ({ workers, counts }) => counts.lost === 1 && workers.filter((worker) => worker.status !== 'exited').length === 4,
  )
  // Asked first, a worker that only waits leaves by itself.
  expect(after.workers.find((worker) => worker.name === victim.name)).toMatchObject({
    status: 'exited',
    exitCode: 0,
    task: { label: 'crawl(login)' },
  })
})

it('asks which one when two pools have the name, and takes the id', async () => {
  const first = (await workspace.run('pool', '--detach', 'Stuck')).stdout.trim()
  const second = (await workspace.run('pool', '--detach', 'Stuck')).stdout.trim()
  const ambiguous = await workspace.run('terminate', 'Stuck')
  expect(ambiguous.code).toBe(1)
  expect(ambiguous.stderr).toContain(first)
  expect(ambiguous.stderr).toContain(second)
  expect(await workspace.run('terminate', first)).toMatchObject({ code: 0, stdout: '' })
  const states = Object.fromEntries((await workspace.pools()).map((pool) => [pool.id, pool.state]))
  expect(states[first]).toBe('ended')
  expect(states[second]).not.toBe('ended')
})

it('says before it ends a pool of a program that the program ends, with its other pools', async () => {
  await workspace.write(
    'two.py',
    [
      'import multiprocessing as mp, time',
      "if __name__ == '__main__':",
      '    first = mp.Pool(1)',
      '    second = mp.Pool(1)',
      '    first.map_async(time.sleep, [600])',
      '    second.map_async(time.sleep, [600]).wait()',
    ].join('\n'),
  )
  const run = runProgram(workspace, 'two.py')
  for (const name of ['two.py:3', 'two.py:4']) await workspace.untilPool(name, ({ counts }) => counts.running === 1)
  const { pid } = (await workspace.pools()).find(({ kind }) => kind === 'program')!.workers[0]!
  const { code, stdout, stderr } = await workspace.run('terminate', 'two.py:4')
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: '',
    stderr: 'two.py:4 is a pool of two.py: the program ends, with its 2 pools\n',
  })
  expect(await lives(pid)).toBe(false)
  await run.finished
})

it('names what exists when nothing has that name', async () => {
  const id = (await workspace.run('pool', '--detach', 'Stuck')).stdout.trim()
  const { code, stdout, stderr } = await workspace.run('kill', 'Nonsense')
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('Nonsense')
  expect(stderr).toContain(id)
})

it("never touches a process that is not the pool's", async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  const { code } = await workspace.run('kill', String(process.pid))
  expect(code).toBe(1)
})

it('has nothing to do for a pool that has ended, and says so with exit code 0', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  await workspace.run('kill', 'Stuck')
  expect(await workspace.run('kill', 'Stuck')).toMatchObject({ code: 0, stdout: '' })
})
