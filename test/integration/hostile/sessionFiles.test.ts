import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { HostConnection } from '../../../src/discovery'
import { newest } from '../runtimes/pythons'
import { hostScript, programs, until, Watch, type WatchedRun } from '../programs/watch'
import { answersDuring } from './hostAnswers'

/** What a program puts into its session folder, and whom it names there. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 })

let watch: Watch
let asker: HostConnection
beforeAll(async () => {
  watch = await Watch.open()
  asker = await HostConnection.connect({ root: watch.root, hostScript, start: false, client: 'cli', env: watch.env })
})
afterAll(async () => {
  asker.dispose()
  await watch.close()
})

/** A file of the user's that is none of the program's business. */
let victim: string
const treasure = 'a year of work\n'
beforeEach(() => {
  victim = join(watch.root, 'thesis.txt')
  writeFileSync(victim, treasure)
})

const look = (): Promise<unknown> => watch.host.request('unhang/look', {}, { timeoutMs: 60_000 })
const askForStacks = (pid: number): Promise<string> =>
  watch.host.request('unhang/stacks', { pid }, { timeoutMs: 30_000 }).then(
    () => 'stacks',
    (error: unknown) => (error as Error).message,
  )

/** The program plants what it plants, and the host looks at it, and goes on looking at others. */
async function planted(
  how: string,
  given: string,
  test: (run: WatchedRun) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await watch.run('fake-observer.py', { args: [how, given] }, async (run) => {
    await answersDuring(asker, async () => {
      await run.untilSaid('planted', 1, 60_000)
      for (let round = 0; round < 3; round += 1) await look()
      await test(run)
      await watch.run('lost-task.py', { args: ['fork', 'sys-exit', 'map'] }, async (other) => {
        await other.untilVerdict('lost-task')
      })
      const { issues } = await watch.host.request(
        'unhang/shutdown',
        { targets: [{ kind: 'pool', poolId: run.id }], mode: 'terminate', askedBy: 'user' },
        { timeoutMs: 30_000 },
      )
      expect(issues).toEqual([])
      // Its folder is removed meanwhile, with all that is in it.
      await until('the folder of its session is gone', () => !existsSync(join(watch.host.endpoint.directory, run.id)), {
        withinMs: 60_000,
      })
    })
  })
}

describe('a program that plants', { retry: 0 }, () => {
  it.each([
    'fifo-recorder',
    'linked-recorder',
    'fifo-notes',
    'linked-notes',
    'many-notes',
    'many-files',
    'many-recorders',
  ])('%s is the only one that is not observed', async (how) => {
    await planted(how, victim)
    expect(readFileSync(victim, 'utf8')).toBe(treasure)
  })

  it.each(['symlinked-stack', 'hard-linked-stack', 'fifo-stack'])(
    '%s in place of the file for its stacks has nothing written, and is refused',
    async (how) => {
      await planted(how, victim, async (run) => {
        expect(await askForStacks(run.pid)).toMatch(/cannot be looked into|did not write its stacks/)
      })
      expect(readFileSync(victim, 'utf8')).toBe(treasure)
    },
  )

  it.each(['symlinked-question', 'fifo-question', 'fifo-answer'])(
    '%s in the place where Node is asked for its stack has nothing written, and holds nobody up',
    async (how) => {
      await planted(how, victim, async (run) => {
        // It takes the signal and says nothing: then it counts as blocked in native code.
        expect(await askForStacks(run.pid)).toBe('stacks')
      })
      expect(readFileSync(victim, 'utf8')).toBe(treasure)
    },
  )
})

describe('a program that names a stranger', { retry: 0 }, () => {
  async function stranger(
    command: string,
    args: readonly string[],
    test: (pid: number, tell: (text: string) => void, said: () => string) => Promise<void>,
  ): Promise<void> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    await once(child, 'spawn')
    try {
      await test(
        child.pid!,
        (text) => {
          child.stdin.write(text)
        },
        () => said,
      )
    } finally {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  }

  it('as its worker does not have the stack signal sent to it, though it would take it', async () => {
    await stranger(newest.path, [join(programs, 'stranger.py')], async (pid, tell, said) => {
      await watch.run('fake-observer.py', { args: ['stranger', String(pid)] }, async (run) => {
        const pool = await run.untilPool('the stranger is drawn as its worker', ({ workers }) =>
          workers.some((worker) => worker.pid === pid),
        )
        tell(`${join(watch.host.endpoint.directory, run.id)}\n`)
        await until('the stranger is ready', () => said() === 'ready\n')
        // Long enough that the host would ask by itself.
        const since = Date.now()
        await until('some looks', async () => {
          await look()
          return Date.now() - since > 3000
        })
        expect(await askForStacks(pid)).not.toBe('stacks')
        await until('the stranger sleeps', () => readFileSync(`/proc/${pid}/status`, 'utf8').includes('State:\tS'))
        expect(pool.workers.map((worker) => worker.pid)).toContain(pid)
        expect(said()).toBe('ready\n')
      })
    })
  })

  it('as its Node process does not have SIGUSR1 sent to it, which would open its inspector', async () => {
    await stranger(
      process.execPath,
      ['-e', 'console.log("ready"); setInterval(() => undefined, 1000)'],
      async (pid, _, said) => {
        await until('the stranger is ready', () => said() === 'ready\n')
        await planted('node-stranger', String(pid), async () => {
          expect(await askForStacks(pid)).not.toBe('stacks')
          expect(said()).toBe('ready\n')
        })
        expect(said()).toBe('ready\n')
      },
    )
  })
})
