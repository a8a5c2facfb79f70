import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostConnection } from '../../src/discovery'
import type { FullSnapshot } from '../../src/protocol'

const rounds = 9
const verdictAimMs = 2000
const watchedWorkers = 100
const watchSeconds = 20
const cpuAimPercent = 3

/** A task that takes its worker with it, and the moment at which it did. */
const lostTask = `
import multiprocessing, os, sys, time
def run(n):
    if n == 5:
        with open(sys.argv[1], 'w') as f: f.write(repr(time.time()))
        os._exit(1)
if __name__ == '__main__':
    with multiprocessing.Pool(2) as p: p.map(run, range(12), chunksize=1)
`

/** Kills the idle worker that holds the lock of the task queue: the one that reads the pipe. */
const orphanedLock = `
import multiprocessing, os, signal, sys, time
def reads(pid):
    with open('/proc/%d/wchan' % pid) as f: return 'pipe' in f.read()
if __name__ == '__main__':
    pool = multiprocessing.Pool(2)
    holder = None
    while holder is None:
        time.sleep(0.05)
        holder = next((w.pid for w in multiprocessing.active_children() if reads(w.pid)), None)
    os.kill(holder, signal.SIGKILL)
    with open(sys.argv[1], 'w') as f: f.write(repr(time.time()))
    pool.map(abs, range(12), chunksize=1)
`

const busyPool = `
import multiprocessing, time
def run(n): time.sleep(0.2)
if __name__ == '__main__':
    with multiprocessing.Pool(${watchedWorkers}) as p: p.map(run, range(10 ** 6), chunksize=1)
`

/**
 * What watching costs and how soon it speaks: from the cause of a hang to its verdict in the host's snapshot, and the
 * CPU time that the host takes for a hundred watched workers while somebody looks once a second.
 */
export async function run(): Promise<{
  name: string
  rows: { what: string; value: string; aim: string; ok: boolean | null }[]
  data: unknown
}> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-bench-')))
  const root = join(folder, 'w')
  mkdirSync(root)
  const connection = await HostConnection.connect({
    root,
    hostScript: resolve('dist/host.js'),
    start: true,
    client: 'test',
    timeoutMs: 30_000,
    env: { ...process.env, UNHANG_RUNTIME_DIR: join(folder, 'r') },
  })
  const launch = async (name: string, text: string): Promise<{ poolId: string; causeFile: string }> => {
    const causeFile = join(folder, 'cause')
    rmSync(causeFile, { force: true })
    writeFileSync(join(root, name), text)
    const { poolId } = await connection.request('unhang/launchPool', {
      definition: { program: ['python3', name, causeFile] },
    })
    return { poolId, causeFile }
  }
  const pools = async (): Promise<FullSnapshot['pools']> =>
    ((await connection.request('unhang/snapshot', {})) as FullSnapshot).pools
  const end = async (poolId: string): Promise<void> => {
    await connection.request(
      'unhang/shutdown',
      { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'cli' },
      { timeoutMs: 30_000 },
    )
    while ((await pools()).some(({ id, state }) => id === poolId && state !== 'ended')) await sleep(20)
  }
  const untilVerdict = async (name: string, text: string, code: string): Promise<number> => {
    const { poolId, causeFile } = await launch(name, text)
    const deadline = Date.now() + 30_000
    while (
      !(await pools()).some(
        ({ programId, verdicts }) =>
          programId === poolId && verdicts.some((verdict) => verdict.code === code && verdict.stuck),
      )
    ) {
      if (Date.now() > deadline) throw new Error(`${name} was never said to be ${code}`)
      await sleep(10)
    }
    const ms = Date.now() - Number(readFileSync(causeFile, 'utf8')) * 1000
    await end(poolId)
    return ms
  }
  try {
    const lost: number[] = []
    const locks: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      lost.push(await untilVerdict('lost.py', lostTask, 'lost-task'))
      locks.push(await untilVerdict('lock.py', orphanedLock, 'orphaned-queue-lock'))
    }
    const { poolId } = await launch('busy.py', busyPool)
    await connection.request('unhang/watch', { workers: true, machine: false, intervalMs: 1000 })
    while (((await pools()).find(({ programId }) => programId === poolId)?.counts.running ?? 0) < watchedWorkers)
      await sleep(100)
    const { pid } = await connection.request('unhang/hostStatus', {})
    const [cpuBefore, since] = [cpuMsOf(pid), Date.now()]
    for (let second = 0; second < watchSeconds; second += 1) {
      await sleep(1000)
      await pools()
    }
    const percent = ((cpuMsOf(pid) - cpuBefore) / (Date.now() - since)) * 100
    await end(poolId)
    return {
      name: 'watch: from the cause to the verdict, and what looking costs',
      rows: [
        row('lost-task, median', median(lost), verdictAimMs),
        row('orphaned-queue-lock, median', median(locks), verdictAimMs),
        row('lost-task, longest', Math.max(...lost)),
        row('orphaned-queue-lock, longest', Math.max(...locks)),
        {
          what: `host, ${watchedWorkers} busy watched workers, a snapshot a second`,
          value: `${percent.toFixed(1)} % of a core`,
          aim: `≤ ${cpuAimPercent} %`,
          ok: percent <= cpuAimPercent,
        },
      ],
      data: { rounds, lost, locks, watchedWorkers, percent },
    }
  } finally {
    await connection.request('unhang/stopHost', {}, { timeoutMs: 30_000 }).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
    })
    connection.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

function row(
  what: string,
  ms: number,
  aimMs?: number,
): { what: string; value: string; aim: string; ok: boolean | null } {
  return {
    what,
    value: `${Math.round(ms)} ms`,
    aim: aimMs === undefined ? '' : `≤ ${aimMs} ms`,
    ok: aimMs === undefined ? null : ms <= aimMs,
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

/** User and system time of a process; the kernel counts in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
