import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HostConnection } from '../../../src/discovery'
import type { LaunchErrorData, ParamsOf } from '../../../src/protocol'
import { itWithPythonTooOld, newest } from '../runtimes/pythons'
import { buildHost, fixtures, isRunning, TestWorkspace, until, untilPool } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
let host: HostConnection
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(async () => {
  workspace = new TestWorkspace(built.hostScript, { PYTHONDONTWRITEBYTECODE: '1' })
  host = await workspace.connect()
})
afterEach(async () => {
  await workspace.dispose()
})

const launch = (definition: Record<string, unknown>, defaults: ParamsOf<'unhang/launchPool'>['defaults'] = {}) =>
  host.request('unhang/launchPool', {
    definition: { cwd: fixtures, ...definition },
    defaults: { pythonPath: newest.path, ...defaults },
  })
const ended = (poolId: string) => untilPool(host, poolId, 'the pool to end', (pool) => pool.state === 'ended')

describe('a Python pool of tasks.json', () => {
  it('runs a function for each item, in persistent interpreters', async () => {
    workspace.writeTasks([
      {
        label: 'Double',
        python: 'counting:double',
        pythonPath: newest.path,
        cwd: fixtures,
        items: { range: [0, 20] },
        processes: 2,
      },
    ])
    const launched = await host.request('unhang/launchPool', { label: 'Double' })
    expect(launched).toMatchObject({ name: 'Double', total: 20, warnings: [] })
    const pool = await ended(launched.poolId)
    expect(pool).toMatchObject({
      kind: 'python',
      failure: null,
      issues: [],
      counts: { done: 20, failed: 0, queued: 0 },
    })
    expect(pool.workers.map(({ name, exitCode }) => ({ name, exitCode }))).toEqual([
      { name: 'PoolWorker-1', exitCode: 0 },
      { name: 'PoolWorker-2', exitCode: 0 },
    ])
  })

  it('tells of an item that raises and of one that takes its worker along', async () => {
    const raised = await launch({ python: 'counting:fail', items: ['it'], processes: 1 })
    expect(raised.name).toBe('counting')
    expect(await ended(raised.poolId)).toMatchObject({ counts: { failed: 1 } })
    expect((await host.request('unhang/failures', { poolId: raised.poolId })).failures).toMatchObject([
      { message: 'ValueError: cannot do it' },
    ])
    const lost = await launch({ python: 'counting:leave', items: [9], processes: 1 })
    expect(await ended(lost.poolId)).toMatchObject({ counts: { lost: 1 } })
  })

  it('leaves no worker behind when the host is killed', async () => {
    const { poolId } = await launch({ python: 'counting:never', items: [1, 2], processes: 2 })
    const pool = await untilPool(host, poolId, 'both tasks to run', ({ counts }) => counts.running === 2)
    const pids = pool.workers.map(({ pid }) => pid)
    process.kill((await workspace.info())!.pid, 'SIGKILL')
    await until('the end of the workers', () => !pids.some(isRunning))
  })

  it.each<[string, Record<string, unknown>, string, string]>([
    ['a path', { python: './counting.py:double', items: [1] }, 'python', '"counting:double"'],
    [
      'a missing interpreter',
      { python: 'counting:double', pythonPath: './python', items: [1] },
      'pythonPath',
      `there is no ${join(fixtures, 'python')}`,
    ],
    [
      'a module beside it',
      { python: 'counting:double', module: './work.js', items: [1] },
      'python',
      'exclude each other',
    ],
  ])('with %s is refused by the key', async (_, definition, key, message) => {
    const error: unknown = await launch(definition).catch((reason: unknown) => reason)
    expect((error as { data: LaunchErrorData }).data.problems.map((problem) => problem.key)).toEqual([key])
    expect((error as Error).message).toContain(message)
  })

  it('with an interpreter in the settings that is not there names the setting', async () => {
    await expect(launch({ python: 'counting:double', items: [1] }, { pythonPath: './no-python' })).rejects.toThrow(
      '"unhang.pythonPath"',
    )
  })

  it.each([
    ['a module that is not there', 'nowhere:double', /there is no module 'nowhere' in .*"python"/],
    [
      'a function that is not there',
      'counting:dubble',
      /module 'counting' has no function 'dubble'; it has 'double', .* after the colon of "python"/,
    ],
    [
      'no function, though there are several',
      'counting',
      /"python": module 'counting' has no function 'default'; it has 'double'/,
    ],
  ])('of %s fails with the key', async (_, python, message) => {
    const { poolId } = await launch({ python, items: [1, 2, 3], processes: 1 })
    expect((await ended(poolId)).failure).toMatch(message)
  })

  itWithPythonTooOld('of an interpreter that is too old fails with the key', async ([{ path }]) => {
    const { poolId } = await launch({ python: 'counting:double', pythonPath: path, items: [1], processes: 1 })
    expect((await ended(poolId)).failure).toMatch(/workers need Python 3\.8 or later\. Set "pythonPath"/)
  })
})
