import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import pidusage from 'pidusage'
import { processes as readProcesses } from 'systeminformation'
import { createProcessTable, type ProcessIdentity } from '../../src/processes'

/** From the issue: 500 live processes; ours at most a third of the better library, or the library is used. */
const processCount = 500
const mostOfTheBetter = 1 / 3
/** No slice of a pass may hold the event loop for longer. */
const longestBlockMs = 20
const blockRounds = 15

interface Reader {
  readonly name: string
  /** A slow reader is measured less often. */
  readonly rounds: number
  /** Between two readings. */
  readonly pauseMs: number
  /** Measures all processes once; returns how many it found. */
  readonly sample: (identities: readonly ProcessIdentity[]) => Promise<number>
}

const table = createProcessTable()

/** A process that pidusage did not find is there all the same, as null or undefined. */
function countFound(stats: Record<string, unknown>): number {
  return Object.values(stats).filter((stat) => stat !== undefined && stat !== null).length
}

const readers: readonly Reader[] = [
  {
    name: 'pidusage',
    rounds: 30,
    pauseMs: 200,
    sample: async (identities) => countFound(await pidusage(identities.map(({ pid }) => pid))),
  },
  {
    name: 'systeminformation',
    rounds: 6,
    // It answers from memory for half a second.
    pauseMs: 550,
    sample: async (identities) => {
      const wanted = new Set(identities.map(({ pid }) => pid))
      return (await readProcesses()).list.filter(({ pid }) => wanted.has(pid)).length
    },
  },
  {
    name: 'ours (/proc)',
    rounds: 30,
    pauseMs: 200,
    sample: async (identities) => (await table.usage(identities)).size,
  },
]

/** What it costs to measure 500 processes once, by each library and by our own reader, in the same run. */
export async function run() {
  const children = Array.from({ length: processCount }, () => spawn('sleep', ['1000'], { stdio: 'ignore' }))
  const identities = await Promise.all(children.map(identify))
  try {
    return { name: 'sampling', ...(await measure(identities)) }
  } finally {
    await endAll(children, identities)
  }
}

async function measure(identities: readonly ProcessIdentity[]) {
  // The first reading loads the library, asks for the page size and opens files: it is shown, but happens once.
  const first = new Map<string, number>()
  for (const { name, sample } of readers) {
    const cpu = cpuTimeMs()
    const found = await sample(identities)
    if (found !== processCount) throw new Error(`${name} found ${found} of ${processCount} processes`)
    first.set(name, cpuTimeMs() - cpu)
  }
  const costs = new Map(readers.map(({ name }) => [name, { cpuMs: [] as number[], wallMs: [] as number[] }]))
  for (let round = 0; readers.some(({ rounds }) => round < rounds); round++) {
    // In turn, so that a busy moment of the machine meets all of them.
    for (const { name, rounds, pauseMs, sample } of readers) {
      if (round >= rounds) continue
      await setTimeout(pauseMs)
      const [cpu, wall] = [cpuTimeMs(), performance.now()]
      await sample(identities)
      costs.get(name)?.cpuMs.push(cpuTimeMs() - cpu)
      costs.get(name)?.wallMs.push(performance.now() - wall)
    }
  }
  const medians = new Map([...costs].map(([name, { cpuMs }]) => [name, median(cpuMs)]))
  const better = Math.min(medians.get('pidusage') ?? Infinity, medians.get('systeminformation') ?? Infinity)
  const ours = medians.get('ours (/proc)') ?? Infinity
  const blockMs = await longestBlock()
  return {
    rows: [
      ...[...costs].map(([name, { cpuMs, wallMs }]) => ({
        what: `${processCount} processes once, by ${name}`,
        value:
          `${median(cpuMs).toFixed(1)} ms of CPU time, ${median(wallMs).toFixed(1)} ms; the first time ` +
          `${(first.get(name) ?? Number.NaN).toFixed(0)} ms of CPU time`,
        aim: '',
        ok: null,
      })),
      {
        what: 'ours against the better library',
        value: `${(ours / better).toFixed(2)} of its CPU time`,
        aim: `≤ ${mostOfTheBetter.toFixed(2)}`,
        ok: ours / better <= mostOfTheBetter,
      },
      {
        what: `event loop held by a pass over ${(await table.list()).length} processes`,
        value: `${blockMs.toFixed(1)} ms at most (lower quartile of ${blockRounds} passes)`,
        aim: `≤ ${longestBlockMs} ms`,
        ok: blockMs <= longestBlockMs,
      },
    ],
    data: { processCount, firstCpuMs: Object.fromEntries(first), readers: Object.fromEntries(costs), blockMs },
  }
}

/**
 * CPU time of this process and of the programs that it ran and collected: systeminformation runs `ps`, a shell and
 * `cat`.
 */
function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage()
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ofChildrenTicks = Number(fields[13]) + Number(fields[14])
  return (user + system) / 1000 + ofChildrenTicks * 10
}

async function longestBlock(): Promise<number> {
  const blocks = []
  for (let round = 0; round < blockRounds; round++) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    await setTimeout(20)
    delay.reset()
    await table.list()
    await setTimeout(5)
    delay.disable()
    blocks.push(delay.max / 1e6)
  }
  return lowerQuartile(blocks)
}

async function identify(child: ChildProcess): Promise<ProcessIdentity> {
  const identity = await table.identify(child.pid ?? -1)
  if (identity === undefined) throw new Error('sleep could not be started')
  return identity
}

async function endAll(children: readonly ChildProcess[], identities: readonly ProcessIdentity[]): Promise<void> {
  const exits = children.map((child) => once(child, 'exit'))
  await Promise.all(identities.map((identity) => table.signal(identity, 'SIGKILL')))
  await Promise.all(exits)
}

/** The middle one: a shared machine has busy moments, which cost caches and so CPU time. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** What a pass does by itself: when other programs take the processor away, that only adds. */
function lowerQuartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN
}
