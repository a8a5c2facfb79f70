import { afterEach, expect, test } from 'vitest'
import {
  createProcessTable,
  createUsageReader,
  readMachineLoad,
  Sampler,
  type MachineLoad,
  type UsageReader,
  type UsageSample,
} from '../../../src/processes'
import { StartedProcesses, until } from './startedProcesses'

const processes = new StartedProcesses()
afterEach(() => processes.endAll())

const table = createProcessTable()
/** Both that are in use: what rules ask, and what is shown. */
const readers = { proc: (identities) => table.usage(identities), pidusage: createUsageReader(table) } satisfies Record<
  string,
  UsageReader
>

function samplerOver(usage: UsageReader = readers.pidusage): Sampler {
  return new Sampler({
    usage,
    machine: readMachineLoad,
    onError: (error) => {
      throw error
    },
  })
}

test.skipIf(process.platform !== 'linux').each(['proc', 'pidusage'] as const)(
  'by %s a process that spins uses CPU, and one that sleeps does not',
  async (reader) => {
    const spinning = await processes.node('catches-sigterm-and-spins.mjs')
    const sleeping = await processes.shell('echo ready; exec sleep 1000')
    let last = new Map<number, UsageSample>() as ReadonlyMap<number, UsageSample>
    const subscription = samplerOver(readers[reader]).subscribe({
      identities: () => [spinning.identity, sleeping.identity],
      intervalMs: 200,
      onSample: (samples) => (last = samples),
    })
    try {
      // Loose, because the machine is shared: a spinning process may get a fraction of a core.
      await until(() => (last.get(spinning.pid)?.cpuPercent ?? 0) > 5, 'CPU of the spinning process')
      expect(last.get(sleeping.pid)?.cpuPercent).toBeLessThan(5)
      expect(last.get(sleeping.pid)?.memoryBytes).toBeGreaterThan(0)
      await processes.kill(sleeping, 'SIGKILL')
      await until(() => !last.has(sleeping.pid), 'the sleeping process to be left out')
    } finally {
      subscription[Symbol.dispose]()
    }
  },
)

test('the machine is measured in percent of all cores and in bytes', async () => {
  let load: MachineLoad | undefined
  const subscription = samplerOver().subscribeMachine({ intervalMs: 200, onSample: (sample) => (load = sample) })
  try {
    await until(() => load, 'a measurement')
  } finally {
    subscription[Symbol.dispose]()
  }
  expect(load!.cores).toBeGreaterThan(0)
  for (const percent of [load!.cpuPercent, load!.cpuPercentSinceBoot]) {
    expect(percent).toBeGreaterThanOrEqual(0)
    expect(percent).toBeLessThanOrEqual(100)
  }
  expect(load!.memoryUsedBytes).toBeGreaterThan(0)
  expect(load!.memoryUsedBytes).toBeLessThan(load!.memoryTotalBytes)
  expect(load!.loadAverage).toHaveLength(3)
})
