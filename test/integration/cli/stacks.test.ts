import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ProcessStacks } from '../../../src/protocol'
import { describePythons, oldestAndNewest } from '../runtimes/pythons'
import { runFixture, runProgram, untilVerdict } from './programs'
import { until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

describePythons(oldestAndNewest, 'on Python $version', (python) => {
  it('stacks of a program that hangs show where it waits', async () => {
    await runFixture(workspace, 'seeds-003-lost.py', { python })
    await untilVerdict(workspace, 'lost-task')
    const [program] = await workspace.pools()
    const main = program!.workers.find(({ status }) => status !== 'exited')!
    const { code, stdout } = await workspace.run('stacks', String(main.pid))
    expect(code).toBe(0)
    expect(stdout).toMatch(/Thread MainThread \(most recent call first\):/)
    expect(stdout).toMatch(/ {2}File "[^"]*seeds-003-lost\.py", line 11, in <module>\n {4}p\.map\(run/)
  })
})

it('stacks of a worker show the line that it sleeps in, and the same in JSON', async () => {
  await workspace.write(
    'sleeps.py',
    'import multiprocessing as mp\nimport time\n\ndef nap(n):\n    time.sleep(600)\n\nif __name__ == ' +
      '"__main__":\n    with mp.Pool(1) as p:\n        p.map(nap, [1])\n',
  )
  runProgram(workspace, 'sleeps.py')
  const pid = await until(
    'a busy worker',
    async () =>
      (await workspace.pools())
        .flatMap(({ workers }) => workers)
        .find(({ status, task }) => status === 'busy' && task?.label.startsWith('nap'))?.pid,
  )
  const { code, stdout } = await workspace.run('stacks', String(pid), '--json')
  expect(code).toBe(0)
  const stacks = JSON.parse(stdout) as ProcessStacks
  expect(Object.keys(stacks).sort()).toEqual(['name', 'note', 'pid', 'source', 'threads'])
  expect(stacks.threads.flatMap(({ frames }) => frames)).toContainEqual(
    expect.objectContaining({ function: 'nap', line: 5, code: expect.stringContaining('time.sleep(600)') as string }),
  )
})

it('stacks of a process that is nobody of ours are refused', async () => {
  const { code, stderr } = await workspace.run('stacks', String(process.pid))
  expect(code).toBe(1)
  expect(stderr).toContain(`unhang attach ${process.pid}`)
})
