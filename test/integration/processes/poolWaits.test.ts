import { afterEach, describe, expect, test } from 'vitest'
import {
  judgeProgramPool,
  recogniseProcess,
  type ProgramPoolFacts,
  type ProgramWorkerFacts,
} from '../../../src/diagnosis'
import { createProcessTable, type ProcessIdentity, type ProcessWait } from '../../../src/processes'
import { describePythons, oldestAndNewest } from '../runtimes/pythons'
import { fixture, StartedProcesses, until, type Started } from './startedProcesses'

// What the rules for programs take for granted about real pools.
const processes = new StartedProcesses()
const table = createProcessTable()
afterEach(() => processes.endAll())

interface Pool {
  readonly program: Started
  readonly workers: readonly ProcessIdentity[]
}

async function idlePool(python: string, startMethod: string): Promise<Pool> {
  const program = await processes.start(python, [fixture('idle-pool.py'), startMethod])
  const pids = (await program.line()).split(' ').map(Number)
  return { program, workers: await Promise.all(pids.map(async (pid) => (await table.identify(pid))!)) }
}

/** Where they wait, once all have come to rest. */
async function waits(
  workers: readonly ProcessIdentity[],
  atRest: (kinds: readonly string[]) => boolean,
): Promise<ProcessWait[]> {
  return until(async () => {
    const all = (await Promise.all(workers.map((identity) => table.waits(identity)))).flatMap((one) => one?.wait ?? [])
    return all.length === workers.length && atRest(all.map(({ kind }) => kind)) && all
  }, 'workers at rest')
}

const healthy = (kinds: readonly string[]): boolean =>
  kinds.filter((kind) => kind === 'pipe-read').length === 1 && kinds.filter((kind) => kind === 'futex').length === 2
const allInLine = (kinds: readonly string[]): boolean => kinds.every((kind) => kind === 'futex')

/** What is known of a program that is only attached to, when nothing has moved for two seconds. */
function attachedFacts(
  program: Started,
  workers: readonly ProcessIdentity[],
  waitsOf: readonly ProcessWait[],
): ProgramPoolFacts {
  return {
    pool: 'idle-pool.py',
    callback: null,
    unchangedMs: 0,
    library: 'unknown',
    startMethod: null,
    state: 'run',
    stateMs: 0,
    processes: null,
    poolAgeMs: null,
    threads: null,
    locks: { tasks: null, results: null },
    taskPipeBytes: null,
    resultPipeBytes: null,
    queued: null,
    jobs: [],
    unseenWorkers: 0,
    unlistedLosses: 0,
    exitsBeforeReady: [],
    readers: { count: 0, quietMs: 0 },
    stuckAfterMs: 30_000,
    parent: {
      pid: program.pid,
      state: 'sleeping',
      stoppedMs: 0,
      answers: false,
      waitsIn: null,
      quietMs: 2000,
      sigterm: null,
      wait: null,
      threadWaits: [],
      joins: null,
      hasThreads: null,
      standsStillMs: 0,
    },
    workers: workers.map(({ pid }, index): ProgramWorkerFacts => ({
      name: `worker-${pid}`,
      pid,
      phase: 'unknown',
      state: 'sleeping',
      stateSeenTimes: 3,
      stoppedMs: 0,
      ageMs: 5000,
      threads: 1,
      parentThreadsAtStart: null,
      watchedMs: 2000,
      cpuMs: 0,
      quietMs: 2000,
      wait: waitsOf[index] ?? null,
      threadWaits: [],
      holds: [],
      sigterm: null,
      sigtermPending: false,
      sigtermSentMs: null,
      task: null,
      stack: null,
      stackIsOfWait: false,
      exit: null,
      hasPools: false,
      unpicklableResults: 0,
      waitsMs: 2000,
      aloneMs: 2000,
      feederWaitsMs: 0,
      standsStillMs: 0,
      forked: null,
    })),
  }
}

describe.skipIf(process.platform !== 'linux')('an idle pool', () => {
  describePythons(oldestAndNewest, 'of Python $version', ({ path }) => {
    test.each(['fork', 'spawn', 'forkserver'])(
      'has one worker that reads, and the others in line for one lock: %s',
      async (startMethod) => {
        const { program, workers } = await idlePool(path, startMethod)
        const found = await waits(workers, healthy)
        const inLine = found.filter(({ kind }) => kind === 'futex')
        expect(inLine.map(({ isPrivate, timed }) => [isPrivate, timed])).toEqual([
          [false, false],
          [false, false],
        ])
        // Who was spawned has mapped the lock for itself.
        if (startMethod !== 'spawn') expect(new Set(inLine.map(({ address }) => address)).size).toBe(1)
        expect(judgeProgramPool(attachedFacts(program, workers, found))).toEqual([])
      },
    )

    test('has all of them in line when its reader was killed, the new one as well', async () => {
      const { program, workers } = await idlePool(path, 'fork')
      const before = await waits(workers, healthy)
      const reader = workers[before.findIndex(({ kind }) => kind === 'pipe-read')]!
      expect(await table.signal(reader, 'SIGKILL')).toBe('sent')
      const left = await until(async () => {
        const rows = (await table.descendants([program])).get(program.pid)
        return (
          rows?.length === 3 &&
          rows.every(({ identity, state }) => identity.pid !== reader.pid && state !== 'zombie') &&
          rows.map(({ identity }) => identity)
        )
      }, 'the new worker')
      const [verdict] = judgeProgramPool(attachedFacts(program, left, await waits(left, allInLine)))
      expect(verdict).toMatchObject({ code: 'orphaned-queue-lock', confidence: 'possible' })
      expect(verdict?.evidence[0]?.value).toMatch(/all at futex 0x[0-9a-f]+$/)
    })

    test('is recognised by command lines, with all that belongs to it', async () => {
      const roles = async (startMethod: string): Promise<string[]> => {
        const { program } = await idlePool(path, startMethod)
        const parentCommandLine = (await table.commandLine(program.identity))!
        const rows = (await table.descendants([program])).get(program.pid)!
        const lines = new Map(
          await Promise.all(
            rows.map(async ({ identity }) => [identity.pid, await table.commandLine(identity)] as const),
          ),
        )
        return rows
          .map(
            ({ identity, command, parentPid }) =>
              recogniseProcess({
                commandLine: lines.get(identity.pid) ?? null,
                command,
                parentCommandLine: lines.get(parentPid) ?? parentCommandLine,
              }).role,
          )
          .sort()
      }
      const three = ['pool-worker', 'pool-worker', 'pool-worker']
      expect(await roles('fork')).toEqual(three)
      expect(await roles('spawn')).toEqual([...three, 'resource-tracker'])
      expect(await roles('forkserver')).toEqual(['fork-server', ...three, 'resource-tracker'])
    })
  })
})
