import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until, Workspace } from '../cli/workspace'

const many = 300

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

describe.skipIf(process.platform === 'win32')(
  `a program with ${many} processes`,
  { retry: 0, timeout: 120_000 },
  () => {
    it.each([
      ['terminate', 'SIGTERM'],
      ['kill', 'SIGKILL'],
    ] as const)('is listed whole, %s ends all of it, and nothing is left', async (verb, signal) => {
      await workspace.write('many.sh', `for one in $(seq ${many}); do sleep 600 & done\necho up\nwait\n`)
      const program = workspace.start(['run', '--name', 'many', '--', 'sh', 'many.sh'])
      await until('all are started', () => (program.stdout === 'up\n' ? true : undefined), { withinMs: 60_000 })
      const { workers } = await workspace.untilPool('many', (pool) => pool.workers.length === many + 1, {
        withinMs: 60_000,
      })
      expect(new Set(workers.map(({ pid }) => pid)).size).toBe(many + 1)
      expect(await workspace.run(verb, 'many')).toMatchObject({ code: 0, stdout: '', stderr: '' })
      expect(await program.finished).toMatchObject({ signal })
      const host = await workspace.hostPid()
      expect(await workspace.processes()).toEqual([host])
      expect((await workspace.pools()).map(({ state }) => state)).toEqual(['ended'])
    })
  },
)
