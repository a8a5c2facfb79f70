import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostConnection } from '../../src/discovery'
import { applySnapshot, type FullSnapshot, type WorkerSnapshot } from '../../src/protocol'

/** The figure is a p99, so that it takes some hundreds of deaths to say anything. */
const deaths = 250
const aimMs = 50
const processes = 4

/**
 * From a worker's death (SIGKILL from outside, unannounced) to its task being `lost` in the host's snapshot, as a
 * client sees it: over the socket, asking once a millisecond (asking without pause would take both cores of a small
 * machine from the very processes that are measured). Change notices are limited to four a second for the sake of
 * windows, so what they add is measured apart and has no aim.
 */
export async function run(): Promise<{
  name: string
  rows: { what: string; value: string; aim: string; ok: boolean | null }[]
  data: unknown
}> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-bench-')))
  const root = join(folder, 'w')
  mkdirSync(root)
  writeFileSync(join(root, 'never.js'), 'exports.never = () => new Promise(() => {})\n')
  const connection = await HostConnection.connect({
    root,
    hostScript: resolve('dist/host.js'),
    start: true,
    client: 'test',
    timeoutMs: 30_000,
    env: { ...process.env, UNHANG_RUNTIME_DIR: join(folder, 'r') },
  })
  try {
    const module = await measure(connection, { module: './never.js#never' })
    const command = await measure(connection, { command: ['sleep', '100000'] })
    const bare = await measureBare()
    const noticed = await measure(connection, { module: './never.js#never' }, 40, true)
    return {
      name: "host: from a worker's death to its task being lost in the snapshot",
      rows: [
        row('module workers, p99', quantile(module, 0.99), true),
        row('module workers, median', quantile(module, 0.5), false),
        row('module workers, longest', quantile(module, 1), false),
        row('commands, p99', quantile(command, 0.99), true),
        row('commands, median', quantile(command, 0.5), false),
        row(
          'for comparison: a bare Node child, from SIGKILL to its exit event in an otherwise idle parent, p99',
          quantile(bare, 0.99),
          false,
        ),
        row('the same for a client that waits for change notices, p99', quantile(noticed, 0.99), false),
      ],
      data: { deaths, processes, moduleMs: module, commandMs: command, bareMs: bare, noticedMs: noticed },
    }
  } finally {
    await connection.request('unhang/stopHost', {}, { timeoutMs: 30_000 }).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
    })
    connection.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Kills one worker after another, each once it is busy, and takes the time until the snapshot knows. */
async function measure(
  connection: HostConnection,
  program: Record<string, unknown>,
  count = deaths,
  byNotice = false,
): Promise<number[]> {
  const { poolId } = await connection.request('unhang/launchPool', {
    definition: { ...program, items: { range: [0, 1_000_000] }, processes, stuckAfterMs: 3_600_000 },
  })
  let state: FullSnapshot | undefined
  const fetch = async (): Promise<WorkerSnapshot[]> => {
    state = applySnapshot(state, await connection.request('unhang/snapshot', state ? { since: state.rev } : {}))
    return state?.pools.find(({ id }) => id === poolId)?.workers ?? []
  }
  const durations: number[] = []
  while (durations.length < count) {
    const busy = (await fetch()).filter(({ status, task }) => status === 'busy' && task?.state === 'running')
    const victim = busy[durations.length % processes]
    if (busy.length < processes || !victim) {
      await sleep(5)
      continue
    }
    const since = performance.now()
    process.kill(victim.pid, 'SIGKILL')
    for (;;) {
      await (byNotice ? nextNotice(connection) : sleep(1))
      const worker = (await fetch()).find(({ name }) => name === victim.name)
      if (worker?.task?.state === 'lost') break
    }
    durations.push(performance.now() - since)
  }
  await connection.request(
    'unhang/shutdown',
    { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'cli' },
    { timeoutMs: 30_000 },
  )
  await connection.request('unhang/removePool', { poolId })
  return durations
}

/** What the machine itself takes at this moment, without any of ours: how long a Node process takes to die. */
async function measureBare(): Promise<number[]> {
  const durations: number[] = []
  while (durations.length < 100) {
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise((done) => child.stdout.once('data', done))
    const exited = new Promise((done) => child.once('exit', done))
    const since = performance.now()
    child.kill('SIGKILL')
    await exited
    durations.push(performance.now() - since)
  }
  return durations
}

function nextNotice(connection: HostConnection): Promise<void> {
  return new Promise((done) => {
    const stop = connection.on('unhang/changed', () => {
      stop()
      done()
    })
  })
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

function row(
  what: string,
  ms: number,
  aimed: boolean,
): { what: string; value: string; aim: string; ok: boolean | null } {
  return { what, value: `${ms.toFixed(1)} ms`, aim: aimed ? `≤ ${aimMs} ms` : '', ok: aimed ? ms <= aimMs : null }
}
