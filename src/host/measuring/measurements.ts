import {
  createUsageReader,
  readMachineLoad,
  Sampler,
  type MachineLoad,
  type ProcessTable,
  type UsageSample,
} from '../../processes'
import type { MachineSnapshot, ParamsOf } from '../../protocol'
import type { PoolRegistry } from '../pools/poolRegistry'
import type { StateLog } from '../state/stateLog'
import type { Log } from '../terms/log'

/** The processes that are measured, and the pools and the state that get the samples. */
export interface MeasurementContext {
  readonly processes: ProcessTable
  readonly log: Log
  readonly pools: PoolRegistry
  readonly state: StateLog
}

/** Measures processes and machine at the shortest interval that a client wants, and not at all without such a client. */
export class Measurements {
  readonly #context: MeasurementContext

  readonly #sampler: Sampler
  #workers: { intervalMs: number; subscription: Disposable } | undefined
  #machine: { intervalMs: number; subscription: Disposable } | undefined
  #poolsCpuPercent = 0
  #poolsMemoryBytes = 0

  constructor(context: MeasurementContext) {
    this.#context = context

    this.#sampler = new Sampler({
      usage: createUsageReader(context.processes),
      machine: readMachineLoad,
      onError: (error) => {
        context.log.warn('A measurement failed.', error)
      },
    })
  }

  /** @param wanted The measurements of every client; to be called whenever one changes, connects or disconnects. */
  update(wanted: readonly ParamsOf<'unhang/watch'>[]): void {
    // The pools' share of the machine is measured with the workers.
    const workersMs = shortest(wanted.filter(({ workers, machine }) => workers || machine))
    const machineMs = shortest(wanted.filter(({ machine }) => machine))
    if (workersMs !== this.#workers?.intervalMs) {
      this.#workers?.subscription[Symbol.dispose]()
      this.#workers =
        workersMs === undefined ? undefined : { intervalMs: workersMs, subscription: this.#sampleWorkers(workersMs) }
      if (!this.#workers) this.#setUsage(null)
    }
    if (machineMs !== this.#machine?.intervalMs) {
      this.#machine?.subscription[Symbol.dispose]()
      this.#machine =
        machineMs === undefined ? undefined : { intervalMs: machineMs, subscription: this.#sampleMachine(machineMs) }
      if (!this.#machine) this.#context.state.setMachine(null)
    }
  }

  #sampleWorkers(intervalMs: number): Disposable {
    return this.#sampler.subscribe({
      identities: () =>
        this.#context.pools.live().flatMap((pool) => pool.liveWorkers().flatMap(({ identity }) => identity ?? [])),
      intervalMs,
      onSample: (samples) => {
        this.#poolsCpuPercent = 0
        this.#poolsMemoryBytes = 0
        for (const { cpuPercent, memoryBytes } of samples.values()) {
          this.#poolsCpuPercent += cpuPercent ?? 0
          this.#poolsMemoryBytes += memoryBytes
        }
        this.#setUsage(samples)
      },
    })
  }

  #sampleMachine(intervalMs: number): Disposable {
    return this.#sampler.subscribeMachine({
      intervalMs,
      onSample: (load) => {
        this.#context.state.setMachine(this.#machineSnapshot(load))
      },
    })
  }

  /** @param samples By pid; null once nothing is measured. */
  #setUsage(samples: ReadonlyMap<number, UsageSample> | null): void {
    for (const pool of this.#context.pools.live()) pool.setUsage(samples)
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

function shortest(wanted: readonly ParamsOf<'unhang/watch'>[]): number | undefined {
  return wanted.length === 0 ? undefined : Math.min(...wanted.map(({ intervalMs }) => intervalMs))
}
