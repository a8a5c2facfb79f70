import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import pidusage from 'pidusage'
import { processes as readProcesses } from 'systeminformation'
import { createProcessTable, createUsageReader, mostInBatch, type ProcessIdentity } from '../../src/processes'

/** Enough for a pass of many slices. */
const processCount = 500
/** No slice of a pass may hold the event loop for longer. */
const longestBlockMs = 20
const blockRounds = 15

interface Reader {
  readonly name: string
  /** Processes of one reading. */
  readonly count: number
  /** A slow reader is measured less often. */
  readonly rounds: number
  /** Between two readings. */
  readonly pauseMs: number
  /** Measures these processes once; returns how many it found. */
  readonly sample: (identities: readonly ProcessIdentity[]) => Promise<number>
}

const table = createProcessTable()
const readUsage = createUsageReader(table)

/** pidusage has an entry of null or undefined for a process that it did not find. */
function countFound(stats: Record<string, unknown>): number {
  return Object.values(stats).filter((stat) => stat !== undefined && stat !== null).length
}

/** In this order, so that those of equal count stand side by side. */
const readers: readonly Reader[] = [
  {
    name: 'pidusage',
    count: processCount,
    rounds: 30,
    pauseMs: 200,
    sample: async (identities) => countFound(await pidusage(identities.map(({ pid }) => pid))),
  },
  {
    name: 'systeminformation',
    count: processCount,
    rounds: 6,
    // It answers from memory for half a second.
    pauseMs: 550,
    sample: async (identities) => {
      const wanted = new Set(identities.map(({ pid }) => pid))
      return (await readProcesses()).list.filter(({ pid }) => wanted.has(pid)).length
    },
  },
  {
    name: 'our pass over /proc, as rules and large pools use it',
    count: processCount,
    rounds: 30,
    pauseMs: 200,
    sample: async (identities) => (await table.usage(identities)).size,
  },
  {
    name: 'a checked batch of pidusage, as views use it',
    count: mostInBatch,
    rounds: 30,
    pauseMs: 200,
    sample: async (identities) => (await readUsage(identities)).size,
  },
  {
    name: 'our pass over /proc',
    count: mostInBatch,
    rounds: 30,
    pauseMs: 200,
    sample: async (identities) => (await table.usage(identities)).size,
  },
]

/** What it costs to measure processes once, by each library and by our own readers, in the same run. */
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
  for (const reader of readers) {
    const { count, sample } = reader
    const cpu = cpuTimeMs()
    const found = await sample(identities.slice(0, count))
    if (found !== count) throw new Error(`${titleOf(reader)}: found ${found} of ${count} processes`)
    first.set(titleOf(reader), cpuTimeMs() - cpu)
  }
  const costs = new Map(readers.map((reader) => [titleOf(reader), { cpuMs: [] as number[], wallMs: [] as number[] }]))
  for (let round = 0; readers.some(({ rounds }) => round < rounds); round++) {
    // In turn, so that a busy moment of the machine meets all of them.
    for (const reader of readers) {
      const { count, rounds, pauseMs, sample } = reader
      if (round >= rounds) continue
      await setTimeout(pauseMs)
      const asked = identities.slice(0, count)
      const [cpu, wall] = [cpuTimeMs(), performance.now()]
      await sample(asked)
      const cost = costs.get(titleOf(reader))
      cost?.cpuMs.push(cpuTimeMs() - cpu)
      cost?.wallMs.push(performance.now() - wall)
    }
  }
  const passMs = await longestBlock(() => table.list())
  const batchMs = await longestBlock(() => readUsage(identities.slice(0, mostInBatch)))
  return {
    rows: [
      ...[...costs].map(([title, { cpuMs, wallMs }]) => ({
        what: title,
        value:
          `${median(cpuMs).toFixed(1)} ms of CPU time, ${median(wallMs).toFixed(1)} ms; the first time ` +
          `${(first.get(title) ?? Number.NaN).toFixed(0)} ms of CPU time`,
        aim: '',
        ok: null,
      })),
      blockRow(`a pass over ${(await table.list()).length} processes`, passMs),
      blockRow(`a batch of ${mostInBatch} processes`, batchMs),
    ],
    data: { processCount, firstCpuMs: Object.fromEntries(first), readers: Object.fromEntries(costs), passMs, batchMs },
  }
}

function titleOf({ name, count }: Reader): string {
  return `${count} processes once, by ${name}`
}

function blockRow(what: string, blockMs: number) {
  return {
    what: `event loop held by ${what}`,
    value: `${blockMs.toFixed(1)} ms at most (lower quartile of ${blockRounds} times)`,
    aim: `≤ ${longestBlockMs} ms`,
    ok: blockMs <= longestBlockMs,
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

async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const blocks = []
  for (let round = 0; round < blockRounds; round++) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    await setTimeout(20)
    delay.reset()
    await work()
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

/** What the work takes on its own: other programs that take the processor away only add to it. */
function lowerQuartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN
}
