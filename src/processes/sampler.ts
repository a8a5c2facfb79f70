import type { MachineLoad } from './machineLoad'
import { Rhythm } from './rhythm'
import type { ProcessIdentity, ProcessUsage } from './types'

/** CPU and memory of one process between two samples. */
export interface UsageSample extends ProcessUsage {
  /** Share of one core, 0 to 100 times the number of cores; null in the first sample of a process. */
  readonly cpuPercent: number | null
}

/** A client's wish to have processes measured. */
export interface UsageSubscription {
  /** Asked before each sample, so that processes may come and go. */
  readonly identities: () => readonly ProcessIdentity[]
  readonly intervalMs: number
  /** Samples by pid; pids that are gone are left out. */
  readonly onSample: (samples: ReadonlyMap<number, UsageSample>) => void
}

/** A client's wish to have the machine measured. */
export interface MachineSubscription {
  readonly intervalMs: number
  readonly onSample: (load: MachineLoad) => void
}

/** Where a {@link Sampler} reads. */
export interface SamplerSources {
  readonly usage: (identities: readonly ProcessIdentity[]) => Promise<ReadonlyMap<number, ProcessUsage>>
  readonly machine: () => Promise<MachineLoad>
  /** Gets the error of a reading that failed; sampling goes on. */
  readonly onError: (error: unknown) => void
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number
}

/**
 * The one sampler of a process. It runs only while there is a subscription, reads the processes of all subscriptions
 * that are due in one batch, and never starts a reading before the last one ended (on Windows one takes a second). Its
 * timers do not keep the process alive.
 */
export class Sampler {
  readonly #sources: SamplerSources

  readonly #usage: Rhythm<UsageSubscription>
  readonly #machine: Rhythm<MachineSubscription>
  readonly #now: () => number
  /** The last reading of each process, by identity. */
  #previous = new Map<string, { cpuTimeMs: number; at: number; cpuPercent: number | null }>()

  constructor(sources: SamplerSources) {
    this.#sources = sources

    this.#now = sources.now ?? (() => performance.now())
    this.#usage = new Rhythm(this.#now, (due) => this.#sampleUsage(due), sources.onError)
    this.#machine = new Rhythm(this.#now, (due) => this.#sampleMachine(due), sources.onError)
  }

  /** Measures processes until the returned disposable is disposed; the first sample comes at once. */
  subscribe(subscription: UsageSubscription): Disposable {
    return this.#usage.add(subscription)
  }

  /** Measures the machine until the returned disposable is disposed. */
  subscribeMachine(subscription: MachineSubscription): Disposable {
    return this.#machine.add(subscription)
  }

  /** True while there is a subscription. */
  get running(): boolean {
    return this.#usage.running || this.#machine.running
  }

  async #sampleUsage(due: readonly UsageSubscription[]): Promise<void> {
    const wanted = due.map((subscription) => ({ subscription, identities: subscription.identities() }))
    const all = new Map(
      wanted.flatMap(({ identities }) => identities.map((identity) => [keyOf(identity), identity] as const)),
    )
    const usages = all.size === 0 ? new Map<number, ProcessUsage>() : await this.#sources.usage([...all.values()])
    const at = this.#now()
    const samples = new Map<string, UsageSample>()
    for (const usage of usages.values()) samples.set(keyOf(usage.identity), this.#compare(usage, at))
    this.#forgetOld(at)
    for (const { subscription, identities } of wanted) {
      const own = identities.flatMap((identity) => samples.get(keyOf(identity)) ?? [])
      if (this.#usage.has(subscription))
        this.#tell(subscription.onSample, new Map(own.map((sample) => [sample.identity.pid, sample])))
    }
  }

  #compare(usage: ProcessUsage, at: number): UsageSample {
    const key = keyOf(usage.identity)
    const previous = this.#previous.get(key)
    // Two subscriptions a moment apart: the kernel counts in steps of 10 ms, so the quotient would be noise.
    if (previous !== undefined && at - previous.at < shortestComparisonMs)
      return { ...usage, cpuPercent: previous.cpuPercent }
    const cpuPercent =
      previous === undefined ? null : Math.max(0, ((usage.cpuTimeMs - previous.cpuTimeMs) / (at - previous.at)) * 100)
    this.#previous.set(key, { cpuTimeMs: usage.cpuTimeMs, at, cpuPercent })
    return { ...usage, cpuPercent }
  }

  #forgetOld(at: number): void {
    const oldest = at - 2 * this.#usage.longestIntervalMs - shortestComparisonMs
    for (const [key, { at: readAt }] of this.#previous) if (readAt < oldest) this.#previous.delete(key)
  }

  async #sampleMachine(due: readonly MachineSubscription[]): Promise<void> {
    const load = await this.#sources.machine()
    for (const subscription of due) if (this.#machine.has(subscription)) this.#tell(subscription.onSample, load)
  }

  /** An error of one subscriber must not cost the others their sample. */
  #tell<Sample>(onSample: (sample: Sample) => void, sample: Sample): void {
    try {
      onSample(sample)
    } catch (error) {
      this.#sources.onError(error)
    }
  }
}

/** See {@link Sampler}; below 100 ms a tick of 10 ms is a tenth of the result. */
const shortestComparisonMs = 100

function keyOf(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.startTime}`
}
