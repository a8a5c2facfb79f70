import { spawn } from 'node:child_process'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PsPool } from '../../../src/cli/ps/json'
import type { ProcessStacks } from '../../../src/protocol'
import { untilVerdict, whyNow } from '../cli/programs'
import { lives, RunningCli, until, Workspace } from '../cli/workspace'
import { pattern } from '../../pattern'

const fixtures = fileURLToPath(new URL('../../fixtures/node-programs/', import.meta.url))

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
  for (const name of await readdir(fixtures)) await cp(join(fixtures, name), join(workspace.folder, name))
})
afterEach(async () => {
  await workspace.dispose()
})

function watched(...command: readonly string[]): RunningCli {
  return workspace.start(['run', '--', ...command])
}

/** The same without us. */
function unwatched(command: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCli {
  const [program = '', ...args] = command
  return new RunningCli(
    spawn(program, args, {
      cwd: workspace.folder,
      env: { ...process.env, NO_COLOR: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
}

function exits(pool: PsPool): string[] {
  return pool.workers
    .filter(({ status }) => status === 'exited')
    .map(({ name, exitCode, signal }) => `${name.replace(/-\d+$/, '')} ${String(signal ?? exitCode)}`)
    .sort()
}

function live(pool: PsPool, name: RegExp): PsPool['workers'] {
  return pool.workers.filter((worker) => worker.status !== 'exited' && name.test(worker.name))
}

async function stacks(pid: number): Promise<ProcessStacks & { stderr: string }> {
  const { stdout, stderr } = await workspace.run('stacks', '--json', String(pid))
  return { ...(stdout === '' ? {} : (JSON.parse(stdout) as ProcessStacks)), stderr } as ProcessStacks & {
    stderr: string
  }
}

async function mainPid(name: string): Promise<number> {
  const pool = await workspace.untilPool(name, (found) => live(found, /^MainProcess$/).length === 1)
  return live(pool, /^MainProcess$/)[0]!.pid
}

describe('the children of a Node program', () => {
  it('are its workers, with the code or signal each of them ended by', async () => {
    const cli = watched('node', 'workers.cjs')
    const pool = await workspace.untilPool(
      'workers.cjs',
      (found) => exits(found).length >= 4 && live(found, /^sleep/).length === 1,
    )
    expect(exits(pool)).toEqual(['sh 7', 'workers.cjs 0', 'workers.cjs 3', 'workers.cjs SIGKILL'])
    expect(
      live(pool, /./)
        .map(({ name }) => name.replace(/-\d+$/, ''))
        .sort(),
    ).toEqual(['MainProcess', 'sleep', 'workers.cjs'])
    for (const { pid } of live(pool, /./)) expect(await lives(pid)).toBe(true)
    await workspace.write('end', '')
    expect((await cli.finished).code).toBe(4)
  })
  it('are found below a shell and another Node, as with npm test', async () => {
    await workspace.write(
      'npm.cjs',
      'require("child_process").spawn("sh", ["-c", "node workers.cjs; exit $?"], { stdio: "inherit" ' +
        '}).on("exit", (code) => { process.exitCode = code })',
    )
    const cli = watched('node', 'npm.cjs')
    const pool = await workspace.untilPool('npm.cjs', (found) => exits(found).length >= 4)
    expect(exits(pool)).toEqual(['sh 7', 'workers.cjs 0', 'workers.cjs 3', 'workers.cjs SIGKILL'])
    await workspace.write('end', '')
    expect((await cli.finished).code).toBe(4)
  })
  it('leave the list when nobody can say how they ended', async () => {
    watched('sh', '-c', 'sleep 5; until [ -e end ]; do sleep 0.3; done; sleep 600')
    await workspace.untilPool('sh', (found) => live(found, /^sleep/).length === 1)
    await workspace.untilPool('sh', (found) => live(found, /^sleep/).length === 0 && found.workers.length === 1)
    await workspace.write('end', '')
    const pool = await workspace.untilPool('sh', (found) => live(found, /^sleep/).length === 1)
    expect(exits(pool)).toEqual([])
  })
  it('that nobody was left to tell of have ended all the same', async () => {
    // What starts it is killed at once: the note of the start is all there is.
    await workspace.write(
      'short.cjs',
      'if (process.argv[2]) { require("child_process").spawn("sleep", ["0.2"]); process.kill(process.pid, ' +
        '"SIGKILL") } else { require("child_process").fork(__filename, ["dies"]); setInterval(() => {}, 1000) }',
    )
    watched('node', 'short.cjs')
    const pool = await workspace.untilPool(
      'short.cjs',
      (found) => found.workers.length > 1 && live(found, /./).length === 1,
    )
    expect(exits(pool)).toContain('short.cjs SIGKILL')
  })
  it('are listed up to a hundred that have ended, and counted beyond', async () => {
    await workspace.write(
      'many.cjs',
      'let left = 150; (function next() { if (left-- > 0) require("child_process").spawn("true").on("exit", ' +
        'next); else { console.log("all"); setInterval(() => {}, 1000) } })()',
    )
    const cli = watched('node', 'many.cjs')
    await until('all have ended', () => cli.stdout || undefined)
    const pool = await workspace.untilPool('many.cjs', (found) => exits(found).length === 100)
    expect(exits(pool)).toEqual(Array.from({ length: 100 }, () => 'true 0'))
  })
  it('are known for the workers that pools of others have', async () => {
    await mkdir(join(workspace.folder, 'node_modules/jest-worker/build/workers'), { recursive: true })
    await workspace.write('node_modules/jest-worker/build/workers/processChild.js', 'process.on("message", () => {})')
    watched('node', 'pool.mjs')
    const pool = await workspace.untilPool('pool.mjs', (found) => live(found, /^jest worker-\d+$/).length === 2)
    expect(pool.workers).toHaveLength(3)
  })
  it('are those of a cluster, which has the options that it has without us', async () => {
    const cli = watched('node', 'cluster.cjs')
    const pool = await workspace.untilPool('cluster.cjs', (found) => exits(found).length === 1)
    expect(exits(pool)).toEqual(['cluster.cjs 5'])
    expect(live(pool, /^cluster\.cjs/)).toHaveLength(1)
    expect(cli.stdout).toBe('worker with []\nworker with []\n')
  })
  it('that idle are not stuck', async () => {
    workspace.start(['run', '--stuck-after-ms', '500', '--', 'node', 'workers.cjs'])
    await workspace.untilPool('workers.cjs', (found) => exits(found).length >= 4)
    const begun = Date.now()
    await until('some looks', async () => {
      expect((await whyNow(workspace)).pools.flatMap(({ verdicts }) => verdicts)).toEqual([])
      return Date.now() - begun > 6000 ? true : undefined
    })
  })
  it('that write to a pipe which nobody reads are told of', async () => {
    workspace.start(['run', '--stuck-after-ms', '1000', '--', 'node', 'unread-output.cjs'])
    const pool = await untilVerdict(workspace, 'output-pipe-full')
    expect(pool.verdicts[0]!.summary).toMatch(
      pattern(
        /^yes-\d+ \(pid \d+\) of unread-output\.cjs cannot go on: it writes to stdout, the (socket|pipe)/,
        / is full, and nobody has read it for .*\.$/,
      ),
    )
  })
  it('that are stopped are told of, and can be continued', async () => {
    watched('node', 'workers.cjs')
    const {
      workers: [...all],
    } = await workspace.untilPool('workers.cjs', (found) => exits(found).length >= 4)
    const worker = all.find(({ name, status }) => name.startsWith('workers.cjs') && status !== 'exited')!
    process.kill(worker.pid, 'SIGSTOP')
    const { verdicts } = await untilVerdict(workspace, 'stopped')
    expect(verdicts[0]).toMatchObject({ code: 'stopped', pid: worker.pid })
    process.kill(worker.pid, 'SIGCONT')
    await until('nothing is wrong', async () =>
      (await whyNow(workspace)).pools.every((pool) => pool.verdicts.length === 0) ? true : undefined,
    )
  })
})

describe('a Node program under watch', () => {
  it('prints, throws and exits as it does without us', async () => {
    const command = ['node', 'shows-itself.cjs']
    const [mine, own] = [await watched(...command).finished, await unwatched(command).finished]
    expect(own.stderr).toContain('in a listener')
    expect(mine).toEqual(own)
  })
  it('keeps its own NODE_OPTIONS', async () => {
    await workspace.write('own.cjs', 'if (process.execArgv.includes("-e")) console.log("own")')
    const command = ['node', '-e', 'console.log(require("v8").getHeapStatistics().heap_size_limit)']
    const env = { NODE_OPTIONS: '--require ./own.cjs --max-old-space-size=300' }
    const { stdout } = await workspace.start(['run', '--', ...command], { env }).finished
    expect(stdout).toBe((await unwatched(command, env).finished).stdout)
    expect(stdout).toMatch(/^own\n\d+\n$/)
  })
  it.each([['--inspect=0'], ['--experimental-permission', '--allow-fs-read=.']])(
    'runs with %s as it does without us',
    async (...options) => {
      const plain = (text: string): string => text.replaceAll(/ws:\S+|node:\d+/g, '')
      const command = ['node', ...options, '-e', 'console.log("runs")']
      const [mine, own] = [await watched(...command).finished, await unwatched(command).finished]
      expect({ ...mine, stderr: plain(mine.stderr) }).toEqual({ ...own, stderr: plain(own.stderr) })
      expect(mine.stdout).toBe('runs\n')
    },
  )
  it('still tells editors where its inspector is when a script of its own opens it', async () => {
    const { stderr, code } = await watched('sh', '-c', 'node --inspect=0 -e 0').finished
    expect(code).toBe(0)
    expect(stderr).toMatch(/^Debugger listening on ws:\/\/127\.0\.0\.1:\d+\/\S+$/m)
  })
  it('runs on when its session is gone', async () => {
    await workspace.write(
      'lasts.cjs',
      'const timer = setInterval(() => { if (!require("fs").existsSync("end")) return; clearInterval(timer); ' +
        'require("child_process").spawn("true").on("exit", () => process.exit(4)) }, 50)',
    )
    const cli = watched('node', 'lasts.cjs')
    await mainPid('lasts.cjs')
    const host = await workspace.hostPid()
    process.kill(host, 'SIGKILL')
    await until('the host is gone', async () => ((await lives(host)) ? undefined : true))
    const folders = (await readdir(workspace.runtimeDirectory, { recursive: true })).filter((name) =>
      /program-[0-9a-f]{6}$/.test(name),
    )
    expect(folders).toHaveLength(1)
    await rm(join(workspace.runtimeDirectory, folders[0]!), { recursive: true })
    await workspace.write('end', '')
    expect(await cli.finished).toMatchObject({ code: 4, stdout: '' })
  })
})

describe('the stack of a Node process', () => {
  it.each([
    ['spin', { function: 'spin', file: /stuck\.cjs$/, code: /while \(turns/ }],
    ['regex', { function: 'regex', file: /stuck\.cjs$/, code: /\.test\(/ }],
    ['atomics', { function: 'atomics', file: /stuck\.cjs$/, code: /Atomics\.wait/ }],
  ])('shows the line that it is in: %s', async (kind, expected) => {
    const cli = watched('node', 'stuck.cjs', kind)
    await until('it has begun', () => cli.stdout || undefined)
    const pid = await mainPid('stuck.cjs')
    for (let time = 1; time <= 2; time += 1) {
      const { threads, note, source, stderr } = await stacks(pid)
      expect(stderr).toBe('')
      expect({ note, source }).toEqual({ note: null, source: 'inspector' })
      const frame = threads[0]!.frames.find((candidate) => candidate.function === expected.function)
      expect(frame?.file).toMatch(expected.file)
      expect(frame?.code).toMatch(expected.code)
      if (kind === 'spin') expect(threads[0]!.frames.map((candidate) => candidate.function)).toContain('async main')
    }
    await workspace.write('go', '')
    expect(await cli.finished).toEqual({ code: 0, signal: null, stdout: 'begun\nwent on undefined\n', stderr: '' })
  })
  it('has no frames while it waits in its event loop, and leaves nothing armed', async () => {
    const cli = watched('node', 'stuck.cjs', 'idle')
    await until('it has begun', () => cli.stdout || undefined)
    const pid = await mainPid('stuck.cjs')
    const { threads, note } = await stacks(pid)
    expect(threads[0]!.frames).toEqual([])
    expect(note).toMatch(/waits in its event loop/)
    await workspace.write('go', '')
    expect(await cli.finished).toEqual({ code: 0, signal: null, stdout: 'begun\nwent on undefined\n', stderr: '' })
  })
  it('is not there while it is blocked in native code, which is said', async () => {
    const cli = watched('node', 'stuck.cjs', 'native')
    await until('it has begun', () => cli.stdout || undefined)
    const pid = await mainPid('stuck.cjs')
    expect(await stacks(pid)).toMatchObject({
      note: expect.stringMatching(/blocked in native code/) as string,
      threads: [{ frames: [] }],
    })
    await workspace.write('go', '')
    expect(await cli.finished).toEqual({ code: 0, signal: null, stdout: 'begun\nwent on undefined\n', stderr: '' })
  })
  it('of a process that ends meanwhile is refused, and the program ends as it does', async () => {
    const cli = watched('node', 'stuck.cjs', 'native')
    await until('it has begun', () => cli.stdout || undefined)
    const pid = await mainPid('stuck.cjs')
    const asked = stacks(pid)
    await until('it is asked', async () =>
      (await readdir(workspace.runtimeDirectory, { recursive: true })).some((name) => name.endsWith(`ask-${pid}`))
        ? true
        : undefined,
    )
    process.kill(pid, 'SIGKILL')
    expect((await asked).stderr).toMatch(/has ended/)
    expect((await cli.finished).signal).toBe('SIGKILL')
    await writeFile(join(workspace.folder, 'go'), '')
  })
  it('is not asked for where SIGUSR1 means something else, also not by a cluster whose primary is asked', async () => {
    const cli = watched('node', 'cluster.cjs')
    const pool = await workspace.untilPool('cluster.cjs', (found) => exits(found).length === 1)
    expect((await stacks(await mainPid('cluster.cjs'))).note).toMatch(/event loop/)
    expect((await stacks(live(pool, /^cluster/)[0]!.pid)).stderr).toMatch(/handles SIGUSR1 itself/)
    expect(cli.stdout).toBe('worker with []\nworker with []\n')
    expect(cli.stderr).toBe('')
  })
  it('of a stopped process is refused', async () => {
    const cli = watched('node', 'stuck.cjs', 'idle')
    await until('it has begun', () => cli.stdout || undefined)
    const pid = await mainPid('stuck.cjs')
    process.kill(pid, 'SIGSTOP')
    expect((await stacks(pid)).stderr).toMatch(/is stopped/)
    process.kill(pid, 'SIGCONT')
    await workspace.write('go', '')
    expect((await cli.finished).code).toBe(0)
  })
})
