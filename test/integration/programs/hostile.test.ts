import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { describePythons, newest, oldestAndNewest } from '../runtimes/pythons'
import { isRunning, until, Watch, type WatchedRun } from './watch'

/**
 * What a program, or somebody in its name, can say to the host does not harm it, nor the other programs, nor strangers.
 */

vi.setConfig({ maxConcurrency: 5, testTimeout: 90_000, hookTimeout: 90_000 })

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

const withProgram: Watch['run'] = (...given) => watch.run(...given)

/** The host is as good as ever: another program's hang is found. */
async function hostIsWell(): Promise<void> {
  await withProgram('lost-task.py', { args: ['fork', 'sys-exit', 'map'] }, async (other) => {
    await other.untilVerdict('lost-task')
  })
}

async function ends(run: WatchedRun): Promise<void> {
  const { issues } = await watch.host.request(
    'unhang/shutdown',
    { targets: [{ kind: 'pool', poolId: run.id }], mode: 'terminate', askedBy: 'user' },
    { timeoutMs: 30_000 },
  )
  expect(issues).toEqual([])
  await until('it ends', () => run.processes().length === 0)
}

const squares = `[${Array.from({ length: 16 }, (_, item) => item * item).join(', ')}]`

describe.concurrent('who speaks on the control channel', () => {
  it.for(['garbage', 'wrong-token', 'silent', 'escaping-recorder', 'endless', 'deep'])(
    'is turned away: %s',
    async (how, { expect: check }) => {
      await withProgram('fake-observer.py', { args: [how] }, async (run) => {
        check(await run.untilSaid('turned-away', 1, 30_000)).toEqual(['True'])
        await hostIsWell()
        check(run.stuck).toEqual([])
        await ends(run)
      })
    },
  )
  it.for([
    'flood',
    'no-answers',
    'nonsense-answers',
    'recorder-garbage',
    'recorder-empty',
    'recorder-truncated',
    'recorder-huge',
    'recorder-huge-slots',
    'recorder-nan',
  ])('may say what it likes: %s', async (how) => {
    await withProgram('fake-observer.py', { args: [how] }, async (run) => {
      await run.untilSaid('ready')
      await hostIsWell()
      await watch.host.request('unhang/look', {}, { timeoutMs: 30_000 })
      expect(watch.pools.some(({ id }) => id === run.id)).toBe(true)
      await ends(run)
    })
  })
  it.for(['stranger', 'dead-stranger'])(
    'cannot have a process ended, stopped or continued that is not its own: %s',
    async (how, { expect: check }) => {
      const stranger = spawn('sleep', ['600'])
      await once(stranger, 'spawn')
      try {
        await withProgram('fake-observer.py', { args: [how, String(stranger.pid)] }, async (run) => {
          const pool = await run.untilPool('its pool', () => true)
          await watch.host.request('unhang/look', {}, { timeoutMs: 30_000 })
          stranger.kill('SIGSTOP')
          await watch.host.request('unhang/rescue', {
            poolId: pool.id,
            actions: [{ kind: 'continue', pid: stranger.pid! }],
            askedBy: 'user',
          })
          check((await watch.cli('ps')).code).toBe(0)
          await watch.host
            .request('unhang/shutdown', {
              targets: [{ kind: 'worker', poolId: pool.id, pid: stranger.pid! }],
              mode: 'kill',
              askedBy: 'user',
            })
            .catch(() => undefined)
          await watch.host.request('unhang/stacks', { pid: stranger.pid! }).catch(() => undefined)
          await watch.host.request(
            'unhang/shutdown',
            { targets: [{ kind: 'pool', poolId: run.id }], mode: 'kill', askedBy: 'user' },
            { timeoutMs: 30_000 },
          )
          await until('the program ends', () => run.hasEnded)
          check(isRunning(stranger.pid!)).toBe(true)
          check(stranger.signalCode).toBeNull()
        })
      } finally {
        stranger.kill('SIGKILL')
        await once(stranger, 'exit')
      }
    },
  )
  it('is nobody from outside the program, without its token', async () => {
    await withProgram('long-tasks.py', { args: ['fork', '2'] }, async (run) => {
      await run.untilSaid('began', 2)
      const socket = connect(join(watch.host.endpoint.directory, run.id, 'control.sock'))
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write('{"id": 1, "result": {}}\n{"event": "changed"}\n')
      await once(socket, 'close')
      expect(await run.untilSaid('results')).toEqual(['[0, 1]'])
    })
  })
})

describePythons(
  oldestAndNewest,
  'a program that is not observed, Python $version',
  (python) => {
    it.for(['-I', '-E', '-S'])(
      'because of %s runs as ever, and nothing is said that is not known',
      async (flag, { expect: check }) => {
        await withProgram('long-tasks.py', { python, flags: [flag], args: ['fork', '4'] }, async (run) => {
          await run.untilSaid('began', 2)
          // Its processes are seen all the same.
          await until(
            'its workers are seen as children',
            () => run.parts.some(({ kind, workers }) => kind === 'program' && workers.length >= 3),
            { seen: () => run.story() },
          )
          check(run.parts[0]?.program).toMatchObject({
            observer: 'failed',
            message: check.stringContaining(`started with ${flag}, this Python`) as unknown,
          })
          check((await watch.cli('why', run.id)).stdout).toContain(`not observed: started with ${flag}`)
          check(await run.untilSaid('results')).toEqual(['[0, 1]'])
          check(await run.ended).toEqual({ code: 0, signal: null })
          check(run.stuck).toEqual([])
        })
      },
    )
    it.for([
      ['spawn', 'pythonpath'],
      ['forkserver', 'pythonpath'],
      ['spawn', 'watch'],
      ['fork', 'watch'],
      ['fork', 'descriptors'],
      ['spawn', 'descriptors'],
    ] as const)('in its children, which it started by %s: %s', async ([method, how], { expect: check }) => {
      await withProgram('hides.py', { python, args: [method, how] }, async (run) => {
        check(await run.untilSaid('results', 2, 60_000)).toEqual([squares, '[0, 1]'])
        check(await run.ended).toEqual({ code: 0, signal: null })
        check(run.stuck.map(({ verdict }) => verdict.summary)).toEqual([])
        check(run.stderr).toBe('')
      })
    })
  },
  { concurrent: true },
)

describe.concurrent('a program that does not get far', () => {
  it('has no script', async () => {
    await withProgram('/no/such/script.py', {}, async (run) => {
      expect(await run.ended).toEqual({ code: 2, signal: null })
      await until(
        'the host says so',
        () => run.parts.some(({ state, program }) => state === 'ended' && program?.exitCode === 2),
        { seen: () => run.story() },
      )
    })
  })
  it('is over before anybody looked', async () => {
    await withProgram('', { command: ['true'] }, async (run) => {
      expect(await run.ended).toEqual({ code: 0, signal: null })
      await until('the host says so', () => run.parts.every(({ state }) => state === 'ended'), {
        seen: () => run.story(),
      })
    })
  })
  it('has no interpreter', async () => {
    const { code, stderr } = await watch.cli('run', '--', '/no/such/python', 'train.py')
    expect(code).toBe(127)
    expect(stderr).toContain('/no/such/python')
    await until(
      'the host says so',
      () =>
        watch.pools
          .filter(({ program }) => program?.argv[0] === '/no/such/python')
          .every(({ state }) => state === 'ended'),
      { seen: () => watch.pools },
    )
  })
  it('ends in the middle of starting its pool', async () => {
    await withProgram(
      '',
      {
        command: [
          newest.path,
          '-c',
          'import multiprocessing, os\nif __name__ == "__main__":\n  p = ' +
            'multiprocessing.get_context("fork").Pool(4)\n  os._exit(3)',
        ],
      },
      async (run) => {
        expect(await run.ended).toEqual({ code: 3, signal: null })
        await until(
          'the host says so',
          () => run.parts.length > 0 && run.parts.every(({ state }) => state === 'ended'),
          { seen: () => run.story() },
        )
      },
    )
  })
})
