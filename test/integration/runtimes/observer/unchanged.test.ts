import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describePythons, newest, oldestAndNewest } from '../pythons'
import { until, WatchedProgram, type End, type WatchOptions } from './watchedProgram'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-unchanged-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Pids and addresses are never the same twice. */
function plain({ code, signal, stdout, stderr }: End): End {
  const tidy = (text: string) => text.replaceAll(/0x[0-9a-f]+/g, '0x…').replaceAll(/pid=\d+/g, 'pid=…')
  return { code, signal, stdout: tidy(stdout), stderr: tidy(stderr) }
}

async function run(options: WatchOptions): Promise<End> {
  await using program = await WatchedProgram.start(options)
  const end = plain(await program.ended)
  if (options.watched !== false)
    expect(program.connections.flatMap(({ events }) => events).filter(({ event }) => event === 'failed')).toEqual([])
  return end
}

const forkOnly = [
  'forks',
  'child_makes_a_pool',
  'fork_warning',
  'forks_at_once',
  'interrupted',
  'interrupted_join',
  'many_files',
  'no_signals_taken',
  'uncaught_unpicklable_argument',
  'unclosed',
]
const programs = [
  'errors',
  'uncaught',
  'process_errors',
  'unpicklable_process',
  'processes_in_processes',
  'recycled',
  'iterable_fails',
  'callbacks',
  'executors',
  'daemon_thread_at_exit',
  'left_running',
  'left_to_the_end',
]

describePythons(oldestAndNewest, 'with and without the observer, in Python $version', (which) => {
  const python = which.path
  // The way a process starts is Python's; what the observer does at each is the same in every version.
  const methods = which === newest ? ['fork', 'spawn', 'forkserver'] : ['fork', 'spawn']
  it.each([
    ...programs.flatMap((name) => methods.map((method) => [name, method])),
    ...forkOnly.map((name) => [name, 'fork']),
  ])('a program prints the same and ends the same: %s (%s)', async (name, method) => {
    const options = { python, args: ['unchanged.py', name, method] }
    const [watched, alone] = await Promise.all([run(options), run({ ...options, watched: false })])
    expect(watched).toEqual(alone)
    expect(watched.stderr).not.toContain('unhang')
  })

  it('does the same with all warnings as errors', async () => {
    // Not executors: whether their former threads are still there when the next one forks is not the same twice.
    for (const name of ['recycled', 'callbacks', 'forks', 'process_errors']) {
      const options = { python, args: ['-W', 'error', 'unchanged.py', name, 'fork'] }
      expect(await run(options)).toEqual(await run({ ...options, watched: false }))
    }
  })

  it("does the same in Python's development mode, which warns of all that is left open", async () => {
    for (const name of ['recycled', 'callbacks', 'process_errors', 'left_to_the_end', 'forks']) {
      const options = { python, args: ['-X', 'dev', 'unchanged.py', name, 'fork'] }
      expect(await run(options)).toEqual(await run({ ...options, watched: false }))
    }
  })

  it('ends as ever at a Ctrl-C in the terminal', async () => {
    const interrupt = async (watched: boolean) => {
      const marks = mkdtempSync(join(folder, 'marks-'))
      await using program = await WatchedProgram.start({
        python,
        watched,
        env: { MARKS: marks },
        args: [
          '-c',
          `
import multiprocessing as mp, os, tempfile, time
def run(number):
    open(os.path.join(os.environ['MARKS'], str(number)), 'w').close()
    time.sleep(60)
with mp.Pool(2) as pool:
    pool.map(run, [0, 1])
`,
        ],
      })
      // Both are in their tasks, and the main thread waits: a moment before, CPython itself loses a Ctrl-C now and
      // then.
      await until(
        () =>
          readdirSync(marks).length === 2 && /^State:\tS/m.test(readFileSync(`/proc/${program.pid}/status`, 'latin1')),
        'both tasks',
      )
      process.kill(-program.pid, 'SIGINT')
      const end = await Promise.race([program.ended, setTimeout(5_000)])
      return (
        end && { code: end.code, signal: end.signal, stdout: end.stdout, last: end.stderr.trimEnd().split('\n').at(-1) }
      )
    }
    /**
     * CPython's pools themselves do not survive every Ctrl-C: of 400 programs like this one, 10 hung on 3.8, 2 of 200
     * on 3.11, unwatched.
     */
    const untilItEnds = async (watched: boolean) => {
      for (let round = 0; round < 4; round++) {
        const end = await interrupt(watched)
        if (end) return end
      }
      throw new Error(`a ${watched ? 'watched' : 'plain'} program hung at a Ctrl-C four times in a row`)
    }
    expect(await untilItEnds(true)).toEqual(await untilItEnds(false))
  })

  it('goes on when the host dies, and prints the same', async () => {
    const options = { python, args: ['every-start.py'] }
    await using program = await WatchedProgram.start(options)
    await program.connected()
    program.stopListening()
    expect(plain(await program.ended)).toEqual(await run({ ...options, watched: false }))
  })

  it.each(['every-start.py', 'unchanged.py'])('goes on when the whole session is gone: %s', async (file) => {
    const options = { python, args: [file, ...(file === 'unchanged.py' ? ['recycled', 'fork'] : [])] }
    await using program = await WatchedProgram.start(options)
    await program.connected()
    program.stopListening()
    // The program may be making a file in it at this moment.
    rmSync(program.session, { recursive: true, maxRetries: 10, retryDelay: 20 })
    const end = plain(await program.ended)
    // The folder comes back for the end of this test.
    mkdirSync(program.session, { recursive: true })
    expect(end).toEqual(await run({ ...options, watched: false }))
  })

  it('goes on when nobody listens, or the token is wrong', async () => {
    const options = { python, args: ['every-start.py', 'fork'] }
    const alone = await run({ ...options, watched: false })
    await using wrong = await WatchedProgram.start({ ...options, expectedToken: 'another' })
    expect(plain(await wrong.ended)).toEqual(alone)
    expect(wrong.connections.every(({ hello, events }) => hello === undefined && events.length <= 1)).toBe(true)
    await using deaf = await WatchedProgram.start(options)
    deaf.server.close()
    expect(plain(await deaf.ended)).toEqual(alone)
  })

  it('disables itself when it cannot work, and says why', async () => {
    await using program = await WatchedProgram.start({
      python: 'sh',
      args: ['-c', `ulimit -f 1000; exec "${python}" every-start.py`],
    })
    const end = plain(await program.ended)
    expect(end).toEqual(await run({ python, args: ['every-start.py'], watched: false }))
    await until(
      () =>
        program.connections.some(({ events }) =>
          events.some(({ event, message }) => event === 'failed' && message!.includes('File too large')),
        ),
      'the reason',
    )
    expect(program.connections[0]!.hello!.recorder).toBe(null)
  })
})
