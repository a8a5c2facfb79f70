import { bounded } from './bounded'
import { defaultLimits, firstSaveShare, planGrace, type PreemptionLimits } from './budget'
import type { DetectionOptions } from './detectPlatform'
import { endPools } from './endPools'
import { describePreemption, isWarning, type PreemptionEvent, type PreemptionPhase } from './events'
import { ownProcess, type OwnProcess } from './ownProcess'
import type { PreemptiblePool } from './preemptiblePool'
import { saveInTime } from './saveInTime'
import {
  TerminationConfig,
  type CompleteTermination,
  type TerminationFields,
  type TerminationNotice,
} from './terminationConfig'
import { Times } from './times'

export interface PreemptionHandlerOptions {
  /** The pools that are wrapped up; a function where they come and go. */
  readonly pools: readonly PreemptiblePool[] | (() => readonly PreemptiblePool[])
  /** Default: everything as the platform has it. @throws TerminationConfigError */
  readonly termination?: TerminationConfig | TerminationFields
  readonly detection?: DetectionOptions
  readonly limits?: Partial<PreemptionLimits>
  /** Hears what happens. Default: what goes wrong is a process warning. */
  readonly report?: (event: PreemptionEvent) => void
  /**
   * The process that leaves; default: this one. `null`: somebody else owns it, so SIGTERM is not listened to (use
   * `notify`), and the end is told to the `exit` of the configuration.
   */
  readonly ownProcess?: OwnProcess | null
}

/** How often it is looked whether the running tasks have ended. */
const lookMs = 20
/** The mean task time changes while the grace period is used, so the plan is made anew this often. */
const planMs = 1000

/**
 * Waits for the notice that this process is going to be taken away, and then leaves in time, with everything saved:
 * TensorFlow's `PreemptionCheckpointHandler` for process pools. It watches from the moment it is made until `stop()`;
 * one a process is enough, for all its pools.
 *
 * Grace period 0: no task is started any more; those that run end, or are cut through the shutdown core after 5 s (at
 * once where all of them are stuck); `save` once; leave. Grace period > 0: `save` at once, go on working, stop starting
 * tasks at `notice + grace − 6 × mean task time`, cut what hangs, `save` again, leave. The workers are ended before the
 * process leaves. Every step is bounded, so that neither a hung task nor a hung save can swallow the notice (both do in
 * TensorFlow).
 *
 * SIGTERM is always listened to. Where it is not the platform's notice, it is the end itself: grace period 0. The first
 * notice counts, and further ones are ignored, except for SIGTERM: a second one ends the grace period, one more cuts
 * the running tasks. A program whose work is done may end before the grace period does, as in TensorFlow: waiting for
 * its end does not keep it alive.
 */
export class PreemptionHandler {
  /** Resolves once the platform is known and watched. Never rejects. */
  readonly ready: Promise<CompleteTermination>
  #phase: PreemptionPhase = 'watching'
  readonly #options: PreemptionHandlerOptions
  readonly #own: OwnProcess | null
  readonly #limits: PreemptionLimits
  readonly #stopListening: () => void
  #stopWatching: () => void = () => undefined
  #releaseGuard: () => void = () => undefined
  #hurries = 0
  #wake: () => void = () => undefined
  #hurryNow: () => void = () => undefined
  readonly #hurried = new Promise<void>((resolve) => {
    this.#hurryNow = resolve
  })

  constructor(options: PreemptionHandlerOptions) {
    const { termination = {}, detection, ownProcess: own = ownProcess } = options
    const config = termination instanceof TerminationConfig ? termination : new TerminationConfig(termination)
    this.#options = options
    this.#own = own
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#stopListening =
      own?.onSigterm(() => {
        this.notify('SIGTERM')
      }) ?? (() => undefined)
    this.ready = config.complete(detection).then((complete) => {
      this.#watch(complete)
      return complete
    })
  }

  get phase(): PreemptionPhase {
    return this.#phase
  }

  /** Hands in a notice by hand. `SIGTERM` as the source means what the signal would mean. */
  notify(source: string): void {
    switch (this.#phase) {
      case 'watching':
        this.#phase = 'using'
        void this.#run({ source, at: Date.now() }, performance.now())
        return
      case 'using':
      case 'wrappingUp':
        // As many as there are phases to shorten: one for the grace period, one for the running tasks.
        if (source === 'SIGTERM' && this.#hurries < 2) this.hurry()
        else this.#tell({ kind: 'ignored', source, phase: this.#phase })
        return
      case 'saving':
      case 'leaving':
      case 'stopped':
        this.#tell({ kind: 'ignored', source, phase: this.#phase })
        return
    }
  }

  /** After a notice: goes on to the next step now. Does nothing before one, and when there is nothing to shorten. */
  hurry(): void {
    if (this.#phase !== 'using' && this.#phase !== 'wrappingUp') return
    this.#tell({ kind: 'hurried', phase: this.#phase })
    this.#hurries = this.#phase === 'using' ? 1 : 2
    this.#hurryNow()
    this.#wake()
  }

  /** Watches no more. A preemption that has begun goes on. */
  stop(): void {
    if (this.#phase !== 'watching') return
    this.#phase = 'stopped'
    this.#stopWatching()
    this.#stopListening()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #watch({ terminationWatcher }: CompleteTermination): void {
    if (this.#phase !== 'watching' || terminationWatcher === undefined) return
    try {
      this.#stopWatching = terminationWatcher.watch({
        notice: (source) => {
          this.notify(source)
        },
        problem: (error) => {
          this.#tell({ kind: 'problem', what: 'Watching for a notice of termination failed', error })
        },
      })
    } catch (error) {
      this.#tell({ kind: 'problem', what: 'The termination watcher could not be started; only SIGTERM is left', error })
    }
  }

  async #run(notice: TerminationNotice, noticedMs: number): Promise<void> {
    const config = await this.ready
    await this.#step('to stop watching', () => {
      this.#stopWatching()
    })
    const graceMs = notice.source === 'SIGTERM' && config.terminationWatcher !== undefined ? 0 : config.gracePeriodMs
    const times = new Times(noticedMs, graceMs, this.#limits)
    this.#tell({ kind: 'noticed', notice, gracePeriodMs: graceMs, exitCode: config.exitCode })
    let cutAtMs = this.#limits.wrapUpMs
    await this.#step('using the grace period', async () => {
      if (graceMs > 0) cutAtMs = await this.#useTime(config, notice, times)
    })
    await this.#step('wrapping up', () => this.#wrapUp(config, cutAtMs, times))
    await this.#step('saving', () => this.#saveLast(config, notice, times))
    await this.#step('ending the workers', () => this.#end(this.#pools(), 'the process is going to be taken away'))
    await this.#step('leaving', () => this.#leave(config, notice, times))
  }

  /** Whatever fails here (a pool that throws): the steps after it are done all the same, and the process leaves. */
  async #step(what: string, act: () => unknown): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#tell({ kind: 'problem', what: `Preemption: ${what} failed`, error })
    }
  }

  /**
   * Saves, and goes on working for as long as there is time. @returns when what runs has to be cut, counted from the
   * notice
   */
  async #useTime(config: CompleteTermination, notice: TerminationNotice, times: Times): Promise<number> {
    const firstSaveMs = await saveInTime(
      config,
      { occasion: 'notice', notice, limitMs: times.graceMs * firstSaveShare },
      { cutShort: { when: this.#hurried, leftMs: this.#limits.saveMs } },
      (event) => {
        this.#tell(event)
      },
    )
    for (;;) {
      const { stopAtMs, cutAtMs } = planGrace(times.graceMs, this.#meanTaskMs(), firstSaveMs, this.#limits)
      if (this.#hurries > 0) return Math.min(cutAtMs, times.elapsedMs + this.#limits.wrapUpMs)
      const leftMs = stopAtMs - times.elapsedMs
      if (leftMs <= 0) return cutAtMs
      await this.#sleep(Math.min(leftMs, planMs), false)
    }
  }

  /** Nothing new is started; what runs ends, or is ended. */
  async #wrapUp(config: CompleteTermination, cutAtMs: number, times: Times): Promise<void> {
    this.#phase = 'wrappingUp'
    // From here on the process leaves: whatever its own code does when tasks are cut must not get in between.
    this.#releaseGuard =
      this.#own?.guard(config.exit === undefined ? config.exitCode : undefined, (error) => {
        this.#tell({ kind: 'problem', what: 'Nobody caught an error', error })
      }) ?? (() => undefined)
    for (const pool of this.#pools()) {
      try {
        pool.hold()
      } catch (error) {
        this.#tell({ kind: 'problem', what: `${pool.name} could not be held`, error })
      }
    }
    this.#tell({ kind: 'held', running: this.#running().length })
    for (;;) {
      const running = this.#running()
      if (running.length === 0) return
      const leftMs = cutAtMs - times.elapsedMs
      // Waiting for tasks that will not end by themselves helps nobody.
      if (leftMs <= 0 || this.#hurries > 1 || running.every(({ task }) => task.stuck)) break
      await this.#sleep(Math.min(lookMs, leftMs), true)
    }
    const cut = this.#running()
    if (cut.length === 0) return
    this.#tell({ kind: 'cut', tasks: cut.map(({ task, pool }) => `${task.label} (${pool.name})`) })
    await this.#end(
      [...new Set(cut.map(({ pool }) => pool))],
      'the process is going to be taken away, and the task did not end in time',
    )
  }

  async #saveLast(config: CompleteTermination, notice: TerminationNotice, times: Times): Promise<void> {
    this.#phase = 'saving'
    await saveInTime(
      config,
      { occasion: 'final', notice, limitMs: times.lastSaveLimitMs(this.#hurries > 0) },
      {},
      (event) => {
        this.#tell(event)
      },
    )
  }

  #end(pools: readonly PreemptiblePool[], reason: string): Promise<void> {
    return endPools(pools, reason, this.#limits, (event) => {
      this.#tell(event)
    })
  }

  async #leave({ exit, exitCode }: CompleteTermination, notice: TerminationNotice, times: Times): Promise<void> {
    this.#phase = 'leaving'
    this.#tell({ kind: 'leaving', exitCode, afterMs: times.elapsedMs, leftMs: times.leftMs })
    if (exit !== undefined) {
      const result = await bounded(() => exit(notice), this.#limits.exitMs)
      if (result.kind === 'done') {
        // Where it has not left after all, that is its own affair: SIGTERM and errors do again what they do without us.
        this.#releaseGuard()
        this.#stopListening()
        return
      }
      this.#tell({
        kind: 'problem',
        what: '"exit" did not leave',
        error: result.kind === 'failed' ? result.error : new Error(`not done after ${result.elapsedMs} ms`),
      })
    }
    this.#own?.exit(exitCode)
  }

  #pools(): readonly PreemptiblePool[] {
    const { pools } = this.#options
    return typeof pools === 'function' ? pools() : pools
  }

  #running(): { task: ReturnType<PreemptiblePool['runningTasks']>[number]; pool: PreemptiblePool }[] {
    return this.#pools().flatMap((pool) => pool.runningTasks().map((task) => ({ task, pool })))
  }

  #meanTaskMs(): number | null {
    const means = this.#pools().flatMap(({ meanTaskMs }) => meanTaskMs ?? [])
    return means.length === 0 ? null : Math.max(...means)
  }

  #sleep(ms: number, keepAlive: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      if (!keepAlive) timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #tell(event: PreemptionEvent): void {
    const { report = warn } = this.#options
    try {
      report(event)
    } catch (error) {
      process.emitWarning(`A preemption's report failed: ${String(error)}`, { type: 'UnhangWarning' })
    }
  }
}

function warn(event: PreemptionEvent): void {
  if (isWarning(event)) process.emitWarning(describePreemption(event), { type: 'UnhangWarning' })
}
