import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createProcessTable } from '../../src/processes'
import { KillLedger, ShutdownHistory, shutDown, type ShutdownReport } from '../../src/shutdown'

/** From the issue: 64 workers, a grace period of 100 ms, with SIGKILL. */
const workerCount = 64
const gracePeriodMs = 100
/** Kills only when there is nothing else, so this is what the machine may take to do it. */
const boundMs = 3 * gracePeriodMs + 300
/**
 * One worker takes at least this share of what all take together: the time goes into waiting, which they do side by
 * side. Where there is nothing to wait for (who ignores SIGTERM is killed at once), what is left is the work of
 * reading, signalling and collecting 64 processes, which cannot take as little as one; there it counts when all are
 * gone within ONE grace period.
 */
const flatness = 0.5
/**
 * The lower quartile of these counts for flatness, because other programs' work only adds; the slowest counts for the
 * bound.
 */
const rounds = 9

interface Kind {
  readonly what: string
  /** False for kinds that the issue does not ask to be flat: they are shown. */
  readonly flat: boolean
  readonly command: string
  readonly args: readonly string[]
}

const table = createProcessTable()

/** How long it takes to end many stubborn workers, and whether that depends on how many there are. */
export async function run() {
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()
  const kinds: Kind[] = [
    {
      what: 'that ignore SIGTERM',
      flat: true,
      command: '/bin/sh',
      args: ['-c', 'trap "" TERM; echo ready; exec sleep 1000'],
    },
    {
      what: 'that catch SIGTERM and go on',
      flat: true,
      command: python,
      args: [
        '-ISc',
        'import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: None)\nprint("ready", flush=True)\nwhile ' +
          'True: time.sleep(1000)',
      ],
    },
    {
      what: 'that ignore SIGTERM, with a child each',
      flat: false,
      command: '/bin/sh',
      args: ['-c', 'trap "" TERM; sleep 1000 & echo ready; wait'],
    },
    { what: 'that obey', flat: false, command: '/bin/sh', args: ['-c', 'echo ready; exec sleep 1000'] },
  ]
  const rows = []
  const data = []
  for (const kind of kinds) {
    const one = []
    const all = []
    for (let round = 0; round < rounds; round++) {
      one.push(await measure(kind, 1))
      all.push(await measure(kind, workerCount))
    }
    const [oneMs, allMs] = [lowerQuartile(one), lowerQuartile(all)]
    data.push({ what: kind.what, one, all })
    rows.push(
      {
        what: `${workerCount} workers ${kind.what}`,
        value: `${allMs.toFixed(0)} ms (slowest ${Math.max(...all).toFixed(0)})`,
        aim: `≤ ${boundMs} ms`,
        ok: Math.max(...all) <= boundMs,
      },
      {
        what: '1 worker of that kind',
        value: `${oneMs.toFixed(0)} ms, ${(oneMs / allMs).toFixed(2)} of the time of ${workerCount}`,
        aim: kind.flat ? `≥ ${flatness} of it, or all within ${gracePeriodMs} ms` : '',
        ok: kind.flat ? oneMs / allMs >= flatness || allMs <= gracePeriodMs : null,
      },
    )
  }
  return { name: 'shutdown', rows, data }
}

async function measure({ command, args }: Kind, count: number): Promise<number> {
  const workers = await Promise.all(Array.from({ length: count }, (_, index) => startWorker(command, args, index)))
  const report = await shutDown(
    {
      subject: { id: 'bench', name: 'Bench' },
      targets: workers,
      gracePeriodMs,
      useSigkill: true,
      reason: 'bench',
      askedBy: 'api',
    },
    { processes: table, ledger: new KillLedger(), memory: new ShutdownHistory() },
  )
  await checkEnded(report, workers)
  return report.durationMs
}

async function startWorker(command: string, args: readonly string[], index: number) {
  const marker = `bench-${process.pid}-${index}`
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, UNHANG_WORKER: marker },
  })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  const identity = await table.identify(child.pid ?? -1)
  if (identity === undefined) throw new Error(`${command} ended by itself`)
  return { identity, name: `PoolWorker-${index + 1}`, marker, exited, child }
}

/** A figure only counts when everything really ended. */
async function checkEnded(
  report: ShutdownReport,
  workers: readonly { child: ChildProcess; exited: Promise<unknown> }[],
): Promise<void> {
  if (report.issues.length > 0) throw new Error(`Not everything ended: ${report.issues.join('; ')}`)
  await Promise.all(workers.map(({ exited }) => exited))
  const left = report.workers.filter(({ outcome }) => outcome !== 'killed' && outcome !== 'terminated')
  if (left.length > 0)
    throw new Error(`Unexpected outcomes: ${left.map(({ name, outcome }) => `${name} ${outcome}`).join(', ')}`)
}

function lowerQuartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN
}
