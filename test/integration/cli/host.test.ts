import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram, whyNow } from './programs'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

it('finds no pools without a host, and starts none to say so', async () => {
  expect(await workspace.run('ps')).toMatchObject({ code: 0, stdout: 'no pools\n', stderr: '' })
  expect(await workspace.run('ps', '--json').then(({ stdout }) => JSON.parse(stdout) as unknown)).toEqual({ pools: [] })
  expect(await workspace.processes()).toEqual([])
})

it('has nothing to stop and no status without a host', async () => {
  expect(await workspace.run('host', 'stop')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('no host runs') as string,
  })
  expect(await workspace.run('host', 'status', '--json')).toMatchObject({ code: 0, stdout: 'null\n' })
})

it('tells the status of the host in the documented shape', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  const status = JSON.parse((await workspace.run('host', 'status', '--json')).stdout) as Record<string, unknown>
  expect(Object.keys(status)).toEqual(['pid', 'version', 'startedAt', 'clients', 'pools'])
  expect(status.pools).toBe(1)
  expect(await lives(status.pid as number)).toBe(true)
})

it('ends every pool with the host', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  await workspace.untilPool('Stuck', ({ counts }) => counts.done === 10)
  expect(await workspace.run('host', 'stop')).toMatchObject({ code: 0, stdout: '' })
  await until('the last process ends', async () => ((await workspace.processes()).length === 0 ? true : undefined), {
    withinMs: 5000,
  })
})

it(
  'names the programs that go on when it ends, and so do ps and why until they end or are ' + 'looked at again',
  async () => {
    await workspace.write('waits.py', 'import time\nprint("began", flush=True)\ntime.sleep(600)\n')
    const run = runProgram(workspace, 'waits.py')
    const program = await workspace.untilPool('waits.py', ({ state }) => state === 'run')
    const { pid } = program.workers[0]!
    await until('the program has begun', () => (run.stdout.includes('began') ? true : undefined))
    try {
      await workspace.run('pool', '--detach', 'Stuck')
      const line = `waits.py (pid ${pid}) runs on, unwatched`
      expect(await workspace.run('host', 'stop')).toMatchObject({ code: 0, stdout: `${line}: unhang attach ${pid}\n` })
      await until('its terminal hears of it', () => (run.stderr.includes('runs on, unwatched') ? true : undefined))

      expect((await workspace.run('ps')).stdout).toBe(
        `no pools are watched\n${line} since the host ended: unhang attach ${pid}\n`,
      )
      expect(JSON.parse((await workspace.run('ps', '--json')).stdout)).toEqual({
        pools: [],
        unwatched: [{ name: 'waits.py', pid }],
      })
      const why = await workspace.run('why')
      expect(why).toMatchObject({ code: 0, stdout: expect.stringContaining(line) as string })
      expect(why.stdout).not.toContain('nothing is stuck')
      expect(await whyNow(workspace)).toMatchObject({ code: 0, pools: [] })
      expect(await workspace.run('why', 'waits.py')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(line) as string,
      })

      // Nor does a host that is killed forget it, which never watched it.
      process.kill(await workspace.hostPid(), 'SIGKILL')
      expect((await workspace.run('ps')).stdout).toContain(line)
      await workspace.run('attach', String(pid))
      expect((await workspace.run('ps')).stdout).not.toContain('unwatched')
      expect(await workspace.run('host', 'stop')).toMatchObject({ code: 0, stdout: `${line}: unhang attach ${pid}\n` })
      expect((await workspace.run('ps')).stdout).toContain(line)
      expect(await lives(pid)).toBe(true)
    } finally {
      process.kill(pid, 'SIGKILL')
      await run.finished
    }
    expect((await workspace.run('ps')).stdout).toBe('no pools\n')
  },
)

it('is one host for two terminals that start it at the same time', async () => {
  const launched = await Promise.all(
    ['Stuck', 'Stubborn', 'Stuck'].map((label) => workspace.run('pool', '--detach', label)),
  )
  expect(launched.map(({ code }) => code)).toEqual([0, 0, 0])
  expect((await workspace.pools()).map((pool) => pool.id).sort()).toEqual(
    launched.map(({ stdout }) => stdout.trim()).sort(),
  )
  expect((await readdir(workspace.runtimeDirectory)).length).toBe(1)
})

it('works on the workspace that --workspace names', async () => {
  await workspace.run('pool', '--detach', 'Stuck')
  const other = await Workspace.create()
  try {
    const { stdout } = await other.start(['--workspace', workspace.folder, 'ps', '--json'], {
      env: { UNHANG_RUNTIME_DIR: workspace.runtimeDirectory },
    }).finished
    expect((JSON.parse(stdout) as { pools: { name: string }[] }).pools.map((pool) => pool.name)).toEqual(['Stuck'])
  } finally {
    await other.dispose()
  }
})

it('says what is wrong with a workspace that does not exist', async () => {
  const { code, stderr } = await workspace.run('--workspace', '/no/such/folder', 'ps')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^unhang: --workspace \/no\/such\/folder: there is no such folder\n {2}Name an existing folder/,
  )
})

it('exits with 2 when the command line is wrong', async () => {
  for (const args of [['nonsense'], ['terminate'], ['ps', '--nonsense'], ['kill', 'x', '--grace-ms', 'soon']]) {
    const { code, stdout, stderr } = await workspace.run(...args)
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' })
    expect(stderr).toMatch(/^unhang: /)
  }
})
