import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processTable } from '../../../src/processes'
import { endpointOf } from '../../../src/discovery'
import { protocolVersion } from '../../../src/protocol'
import { lives, until, Workspace, type Finished } from '../cli/workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
  // Loaded by the host as by every Node of the workspace, and for ever silent until it is told to stand still.
  await workspace.write(
    'stand.cjs',
    'process.on("SIGUSR2", () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })\n',
  )
})
afterEach(async () => {
  await workspace.dispose()
})

const env = () => ({ NODE_OPTIONS: `--require ${join(workspace.folder, 'stand.cjs')}` })
const run = (...args: string[]) => workspace.start(args, { env: env() }).finished
/**
 * What a command took, on a machine that may be loaded: without a limit of its own it would be ten seconds and more.
 */
const timed = async (...args: string[]): Promise<Finished & { ms: number }> => {
  const startedAt = performance.now()
  const finished = await run(...args)
  return { ...finished, ms: performance.now() - startedAt }
}
const soonMs = 9000

/** A host with one worker, which does not answer any more. */
async function hungHost(how: 'stopped' | 'standing'): Promise<{ host: number; worker: number }> {
  await workspace.writeTasks([{ label: 'Spin', module: './spin.js', items: [1], processes: 1 }])
  await workspace.write('spin.js', 'exports.default = () => new Promise(() => setInterval(() => {}, 1000))\n')
  expect(await run('pool', '--detach', 'Spin')).toMatchObject({ code: 0 })
  const pool = await workspace.untilPool('Spin', ({ counts }) => counts.running === 1)
  const host = await workspace.hostPid()
  process.kill(host, how === 'stopped' ? 'SIGSTOP' : 'SIGUSR2')
  return { host, worker: pool.workers[0]!.pid }
}

describe.each(['stopped', 'standing'] as const)('a %s host', { retry: 0, timeout: 120_000 }, (how) => {
  const advice = (host: number) =>
    new RegExp(
      how === 'stopped'
        ? `pid ${host}\\) is stopped, .*\`kill -CONT ${host}\`.*\`unhang host stop --force\` or \`kill -9 ${host}\``
        : `pid ${host}\\) did not answer within \\d+ ms\\..*\`unhang host stop --force\` or \`kill -9 ${host}\``,
    )

  it('lets `run` start its program at once, unwatched, and says why', async () => {
    const { host } = await hungHost(how)
    await workspace.write('says.py', 'print("ran", flush=True)\n')
    const startedAt = performance.now()
    const running = workspace.start(['run', '--', 'python3', 'says.py'], { env: env() })
    await until('the program runs', () => (running.stdout === 'ran\n' ? true : undefined))
    expect(performance.now() - startedAt).toBeLessThan(soonMs)
    expect((await running.finished).stderr).toMatch(
      new RegExp(`^unhang: the program runs unwatched, because .*${advice(host).source}`),
    )
    expect(await run('host', 'stop', '--force')).toMatchObject({ code: 0 })
  })

  it('is given up soon by every command, with advice that helps', async () => {
    const { host } = await hungHost(how)
    for (const args of [
      ['ps'],
      ['why'],
      ['terminate', 'Spin'],
      ['kill', 'Spin'],
      ['host', 'status'],
      ['host', 'stop'],
    ]) {
      const { code, stderr, ms } = await timed(...args)
      expect({ args, code }).toEqual({ args, code: 1 })
      expect(stderr).toMatch(advice(host))
      expect(ms, args.join(' ')).toBeLessThan(soonMs)
    }
    expect(await lives(host)).toBe(true)
    // What is advised, word for word.
    process.kill(host, 'SIGKILL')
    await until('it ends', async () => ((await lives(host)) ? undefined : true))
    expect(await run('ps')).toMatchObject({ code: 0 })
  })

  it(
    'is ended by `host stop --force`, which is written down; its worker ends by itself, and the ' + 'next host starts',
    async () => {
      const { host, worker } = await hungHost(how)
      const { killsFile } = await endpointOf(workspace.folder, { UNHANG_RUNTIME_DIR: workspace.runtimeDirectory })
      const forced = await timed('host', 'stop', '--force')
      expect(forced).toMatchObject({ code: 0, stderr: '' })
      expect(forced.stdout).toContain(`the host (pid ${host}) did not answer and was ended by SIGKILL`)
      expect(await lives(host)).toBe(false)
      const sent = readFileSync(killsFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { identity: { pid: number }; signal: string; askedBy: string })
      expect(sent).toMatchObject([{ identity: { pid: host }, signal: 'SIGKILL', askedBy: 'cli' }])
      await until('the worker ends', async () => ((await lives(worker)) ? undefined : true))
      expect(await run('pool', '--detach', 'Spin')).toMatchObject({ code: 0 })
      expect(await workspace.hostPid()).not.toBe(host)
    },
  )
})

describe('a host that hangs', { retry: 0, timeout: 120_000 }, () => {
  it('in the middle of a long shutdown is given up soon, not after the time that the shutdown may take', async () => {
    await workspace.write(
      'stubborn.py',
      'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint("up", flush=True)\ntime.sleep(600)\n',
    )
    const program = workspace.start(['run', '--', 'python3', 'stubborn.py'], { env: env() })
    await until('it runs', () => (program.stdout === 'up\n' ? true : undefined))
    const { pid } = (await workspace.untilPool('stubborn.py', ({ state }) => state === 'run')).workers[0]!
    const host = await workspace.hostPid()
    const startedAt = performance.now()
    const ending = workspace.start(['terminate', '--grace-ms', '60000', 'stubborn.py'], { env: env() })
    try {
      const { killsFile } = await endpointOf(workspace.folder, { UNHANG_RUNTIME_DIR: workspace.runtimeDirectory })
      await until('SIGTERM has been sent', () =>
        existsSync(killsFile) && readFileSync(killsFile, 'utf8').includes('"SIGTERM"') ? true : undefined,
      )
      process.kill(host, 'SIGUSR2')
      const { code, stderr } = await ending.finished
      expect(code).toBe(1)
      expect(stderr).toContain(`kill -9 ${host}`)
      expect(performance.now() - startedAt).toBeLessThan(40_000)
    } finally {
      process.kill(pid, 'SIGKILL')
      await program.finished
      await run('host', 'stop', '--force')
    }
  })

  it('before it has announced itself is told and ended as well', async () => {
    const { host } = await hungHost('stopped')
    rmSync((await endpointOf(workspace.folder, { UNHANG_RUNTIME_DIR: workspace.runtimeDirectory })).infoFile)
    await workspace.write('says.py', 'print("ran")\n')
    const ran = await timed('run', '--', 'python3', 'says.py')
    expect(ran).toMatchObject({ code: 0, stdout: 'ran\n' })
    expect(ran.stderr).toMatch(
      new RegExp(`Another host \\(pid ${host}\\) holds the lock and is stopped\\. .*kill -9 ${host}`),
    )
    expect(ran.ms).toBeLessThan(soonMs)
    expect((await run('host', 'stop', '--force')).stdout).toContain(`pid ${host}`)
    expect(await lives(host)).toBe(false)
  })

  it('is not mistaken for a stranger whom a file in the runtime folder names: that one gets no signal', async () => {
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' })
    const endpoint = await endpointOf(workspace.folder, { UNHANG_RUNTIME_DIR: workspace.runtimeDirectory })
    const socketPath = join(endpoint.directory, '0123abcd.sock')
    const deaf = createServer(() => undefined).listen(socketPath)
    try {
      await once(deaf, 'listening')
      const identity = (await processTable.identify(stranger.pid!))!
      writeFileSync(join(endpoint.directory, 'lock.1'), JSON.stringify(identity))
      writeFileSync(
        endpoint.infoFile,
        JSON.stringify({
          ...identity,
          socketPath,
          token: 'x'.repeat(64),
          version: '0.1.0',
          protocolVersion,
          startedAt: 1,
        }),
      )
      const { stdout, stderr } = await run('host', 'stop', '--force')
      expect(stdout + stderr).toMatch(/no host runs|is no host of this workspace/)
      expect(await lives(stranger.pid!)).toBe(true)
      const { stderr: said } = await run('ps')
      expect(said).toContain(`pid ${identity.pid}, by which it announced itself, is no host of this workspace here`)
      expect(said).not.toContain('kill -9')
    } finally {
      deaf.close()
      stranger.kill('SIGKILL')
      rmSync(endpoint.infoFile, { force: true })
      rmSync(join(endpoint.directory, 'lock.1'), { force: true })
    }
  })
})
