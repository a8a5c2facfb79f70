import {
  createUsageReader,
  readMachineLoad,
  Sampler,
  type MachineLoad,
  type ProcessIdentity,
  type ProcessTable,
  type UsageSample,
} from '../../processes'
import type { MachineSnapshot, Watch } from '../../protocol'
import type { Log } from '../terms/log'

/** What is measured, and who wants to know. */
export interface WatchingHost {
  readonly processes: ProcessTable
  readonly log: Log
  identities(): ProcessIdentity[]
  /** Samples by pid; null when nobody measures any more. */
  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void
  setMachine(machine: MachineSnapshot | null): void
}

/** Measures processes and machine as often as the most curious client wants, and not at all while nobody looks. */
export class Watching {
  readonly #host: WatchingHost

  readonly #sampler: Sampler
  #workers: { intervalMs: number; subscription: Disposable } | undefined
  #machine: { intervalMs: number; subscription: Disposable } | undefined
  #poolsCpuPercent = 0
  #poolsMemoryBytes = 0

  constructor(host: WatchingHost) {
    this.#host = host

    this.#sampler = new Sampler({
      usage: createUsageReader(host.processes),
      machine: readMachineLoad,
      onError: (error) => {
        host.log.warn('A measurement failed.', error)
      },
    })
  }

  get running(): boolean {
    return this.#sampler.running
  }

  /** Call with what every client wants, whenever one changes its mind, comes or goes. */
  update(wishes: readonly Watch.Params[]): void {
    // The pools' share of the machine is measured with the workers.
    const workersMs = shortest(wishes.filter((wish) => wish.workers || wish.machine))
    const machineMs = shortest(wishes.filter((wish) => wish.machine))
    if (workersMs !== this.#workers?.intervalMs) {
      this.#workers?.subscription[Symbol.dispose]()
      this.#workers =
        workersMs === undefined ? undefined : { intervalMs: workersMs, subscription: this.#watchWorkers(workersMs) }
      if (!this.#workers) this.#host.setUsage(null)
    }
    if (machineMs !== this.#machine?.intervalMs) {
      this.#machine?.subscription[Symbol.dispose]()
      this.#machine =
        machineMs === undefined ? undefined : { intervalMs: machineMs, subscription: this.#watchMachine(machineMs) }
      if (!this.#machine) this.#host.setMachine(null)
    }
  }

  #watchWorkers(intervalMs: number): Disposable {
    return this.#sampler.subscribe({
      identities: () => this.#host.identities(),
      intervalMs,
      onSample: (samples) => {
        this.#poolsCpuPercent = 0
        this.#poolsMemoryBytes = 0
        for (const { cpuPercent, memoryBytes } of samples.values()) {
          this.#poolsCpuPercent += cpuPercent ?? 0
          this.#poolsMemoryBytes += memoryBytes
        }
        this.#host.setUsage(samples)
      },
    })
  }

  #watchMachine(intervalMs: number): Disposable {
    return this.#sampler.subscribeMachine({
      intervalMs,
      onSample: (load) => {
        this.#host.setMachine(this.#machineSnapshot(load))
      },
    })
  }

  #machineSnapshot(load: MachineLoad): MachineSnapshot {
    const [one, five, fifteen] = load.loadAverage
    return {
      cores: load.cores,
      cpuPercent: load.cpuPercent,
      loadAverage: [one, five, fifteen],
      memoryTotalBytes: load.memoryTotalBytes,
      memoryUsedBytes: load.memoryUsedBytes,
      poolsCpuPercent: this.#poolsCpuPercent,
      poolsMemoryBytes: this.#poolsMemoryBytes,
    }
  }
}

function shortest(wishes: readonly Watch.Params[]): number | undefined {
  return wishes.length === 0 ? undefined : Math.min(...wishes.map((wish) => wish.intervalMs))
}
