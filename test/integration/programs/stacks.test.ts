import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { StackFrame, ProcessStacks } from '../../../src/protocol'
import { describePythons, newest, oldestAndNewest } from '../runtimes/pythons'
import { programs, until, Watch, type WatchedRun } from './watch'

/** Where a process is: told by its own interpreter, or written by faulthandler when that does not answer. */

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

const script = join(programs, 'stacks.py')
const source = readFileSync(script, 'utf8').split('\n')
/** Number of the line with this text. */
const line = (text: string): number => source.findIndex((candidate) => candidate.includes(text)) + 1

const stacksOf = (pid: number): Promise<ProcessStacks> =>
  watch.host.request('unhang/stacks', { pid }, { timeoutMs: 30_000 })
const frames = ({ threads }: ProcessStacks): StackFrame[] =>
  threads.flatMap((thread) => thread.frames).filter(({ file }) => file === script)
const refusal = (pid: number): Promise<string> =>
  stacksOf(pid).then(
    () => 'no refusal',
    (error: unknown) => (error as Error).message,
  )

async function workerOf(run: WatchedRun): Promise<number> {
  const [pid = ''] = await run.untilSaid('pid')
  await run.untilPool('the worker is in its task', ({ workers }) =>
    workers.some((worker) => worker.pid === Number(pid) && worker.task?.state === 'running'),
  )
  return Number(pid)
}

describePythons(oldestAndNewest, 'Python $version', (python) => {
  it('a program that waits tells its threads itself, and a worker writes where it is, with lines of code', async () => {
    const run = await watch.start('stacks.py', { python, args: ['sleep'] })
    const worker = await workerOf(run)
    await run.untilSaid('now')
    const own = await until('the main thread waits', async () => {
      const stacks = await stacksOf(run.pid)
      return frames(stacks).some(({ code }) => code === 'result.get()') ? stacks : undefined
    })
    expect(own).toMatchObject({ pid: run.pid, source: 'observer', note: null })
    expect(own.threads.find(({ name }) => name === 'MainThread')?.frames.at(-1)).toEqual({
      file: script,
      line: line('result.get()'),
      function: '<module>',
      code: 'result.get()',
    })
    expect(own.threads.map(({ name }) => name).filter((name) => /unhang|control/i.test(name))).toEqual([])

    const its = await stacksOf(worker)
    expect(its).toMatchObject({ pid: worker, name: 'ForkPoolWorker-1', source: 'faulthandler' })
    // faulthandler knows the line within a function only since the call: innermost first.
    expect(frames(its).slice(0, 2)).toEqual([
      { file: script, line: line('time.sleep(seconds)'), function: 'deeper', code: 'time.sleep(seconds)' },
      { file: script, line: line('deeper(60)'), function: 'run', code: 'deeper(60)' },
    ])
    // It goes on sleeping.
    expect(run.hasEnded).toBe(false)
    await run.end()
  })

  it('a program that holds the GIL in C code is written out by faulthandler, and says why', async () => {
    const run = await watch.start('stacks.py', { python, args: ['gil'] })
    await run.untilSaid('now')
    const stacks = await until('the interpreter does not answer', async () => {
      const found = await stacksOf(run.pid)
      return found.source === 'faulthandler' ? found : undefined
    })
    expect(stacks.note).toMatch(
      /did not answer within 1000 ms: it is stopped, or holds the interpreter's lock \(GIL\) in C code/,
    )
    expect(frames(stacks)[0]).toEqual({
      file: script,
      line: line('return sum('),
      function: 'count_in_c',
      code: 'return sum(range(10 ** 10))',
    })
    await run.end()
  })
})

describe('stacks that cannot be had', () => {
  it('a signal that the program has taken is not taken from it, and not sent', async () => {
    const run = await watch.start('stacks.py', { args: ['taken', '50'], watch: { stackSignal: 50 } })
    const worker = await workerOf(run)
    expect(await refusal(worker)).toMatch(
      /ForkPoolWorker-1 \(pid \d+\) cannot be looked into: no observer is inside, or it found no free signal/,
    )
    expect(run.said('taken')).toEqual([])
    // Its own interpreter still answers.
    expect((await stacksOf(run.pid)).source).toBe('observer')
    await run.end()
  })

  it('no signal is set up where that was asked for', async () => {
    const run = await watch.start('stacks.py', { args: ['sleep'], watch: { stackSignal: 0 } })
    const worker = await workerOf(run)
    expect(await refusal(worker)).toMatch(/cannot be looked into/)
    expect(/SigCgt:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${worker}/status`, 'latin1'))?.[1]?.slice(0, 8)).toMatch(
      /^[0-3]{8}$/,
    )
    await run.end()
  })

  it('a stopped worker says nothing, and is not asked twice when it goes on', async () => {
    const run = await watch.start('stacks.py', { args: ['sleep'] })
    const worker = await workerOf(run)
    process.kill(worker, 'SIGSTOP')
    expect(await refusal(worker)).toMatch(/did not write its stacks: it is stopped/)
    process.kill(worker, 'SIGCONT')
    expect((await stacksOf(worker)).source).toBe('faulthandler')
    await run.end()
  })

  it('a worker that has closed our file is not asked: it could write into a file of its own', async () => {
    const log = join(watch.root, 'its.log')
    const run = await watch.start('closes-files.py', { args: [log] })
    const worker = Number((await run.untilSaid('pid'))[0])
    await run.untilSaid('closed')
    await run.untilPool('the worker is in its task', ({ workers }) =>
      workers.some(({ pid, task }) => pid === worker && task?.state === 'running'),
    )
    expect(await refusal(worker)).toMatch(/did not write its stacks/)
    expect(readFileSync(log, 'utf8')).toBe('')
    await run.end()
  })

  it('a process that is not there, and one that is no Python, are named', async () => {
    expect(await refusal(2 ** 22 - 3)).toMatch(/There is no process \d+/)
    const sleeper = spawn('sleep', ['60'])
    expect(await refusal(sleeper.pid!)).toMatch(
      /\(sleep\) is by its name no Python and no Node\.js program, and only their stacks can be read/,
    )
    sleeper.kill()
    await once(sleeper, 'exit')
  })

  it('a program under watch that is no Python is named as such', async () => {
    const run = await watch.start('', { command: ['sh', '-c', 'echo began 1; sleep 60; true'] })
    await run.untilSaid('began', 1)
    expect(await refusal(run.pid)).toMatch(/by its name \(sh\) it is no Python and no Node\.js program/)
    await run.end()
  })

  it('a Python that is not watched needs py-spy', async () => {
    const python = spawn(newest.path, ['-c', 'import time; time.sleep(60)'])
    await once(python, 'spawn')
    await until('it is a Python', () => readFileSync(`/proc/${python.pid!}/cmdline`, 'utf8').includes('sleep'))
    expect(await refusal(python.pid!)).toMatch(
      /py-spy, which is not on PATH\. Install it \(pip install py-spy\), or start the program with "unhang run"/,
    )
    python.kill()
    await once(python, 'exit')
  })

  it('what py-spy prints is shown, with lines of code', async () => {
    // py-spy itself is on PyPI alone, which a test machine may not reach: a script that answers as its documentation
    // says.
    const folder = join(watch.folder, 'bin')
    mkdirSync(folder)
    const answer = [
      {
        pid: 1,
        thread_id: 140,
        thread_name: 'MainThread',
        os_thread_id: 1,
        active: false,
        frames: [
          {
            name: 'deeper',
            filename: script,
            module: null,
            short_filename: 'stacks.py',
            line: line('time.sleep(seconds)'),
            locals: null,
          },
        ],
      },
    ]
    writeFileSync(
      join(folder, 'py-spy'),
      `#!/bin/sh\n[ "$1 $2 $3 $4" = "dump --json --nonblocking --pid" ] || exit 3\ncat ` +
        `<<'END'\n${JSON.stringify(answer)}\nEND\n`,
    )
    chmodSync(join(folder, 'py-spy'), 0o755)
    const other = await Watch.open({ PATH: `${folder}:${process.env.PATH ?? ''}` })
    const python = spawn(newest.path, ['-c', 'import time; time.sleep(60)'])
    try {
      await once(python, 'spawn')
      await until('it is a Python', () => readFileSync(`/proc/${python.pid!}/cmdline`, 'utf8').includes('sleep'))
      const stacks = await other.host.request('unhang/stacks', { pid: python.pid! }, { timeoutMs: 30_000 })
      expect(stacks).toMatchObject({
        source: 'py-spy',
        threads: [{ name: 'MainThread', frames: [{ file: script, function: 'deeper', code: 'time.sleep(seconds)' }] }],
      })
    } finally {
      python.kill()
      await once(python, 'exit')
      await other.close()
    }
  })
})
