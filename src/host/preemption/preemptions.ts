import type { TerminationDefinition } from '../../protocol/schemas'
import {
  describePreemption,
  isWarning,
  PreemptionHandler,
  type PreemptiblePool,
  type PreemptionEvent,
  type ShutdownDependencies,
} from '../../shutdown'
import type { Log } from '../terms/log'
import type { LivePool } from '../pools/livePool'
import { runSave } from './saveCommand'

/** The `termination` of a pool task, with the folder and the environment of its save. */
export interface PoolTermination {
  readonly definition: TerminationDefinition
  readonly cwd: string
  /** Complete. */
  readonly env: NodeJS.ProcessEnv
}

/** How the host is to leave. */
export interface WrappedUp {
  readonly exitCode: number
  /** Of the shortest grace period; Infinity where there was none. */
  readonly leftMs: number
}

/**
 * The pools of a host that have a `termination`. A notice to one of them (from its metadata server, or SIGTERM to the
 * host) is a notice to all: the machine is going to be taken away. Each is wrapped up by its own definition; then the
 * host exits, with the exit code of the pool that got the notice first.
 */
export class Preemptions {
  readonly #system: ShutdownDependencies
  readonly #log: Log

  /** Resolves once, when every pool is wrapped up. */
  readonly done: Promise<WrappedUp>
  readonly #handlers = new Map<LivePool, PreemptionHandler>()
  #resolve: (wrappedUp: WrappedUp) => void = () => undefined
  #begun: { readonly source: string } | undefined
  #exitCode: number | undefined
  #leftUntil = Infinity

  constructor(system: ShutdownDependencies, log: Log) {
    this.#system = system
    this.#log = log

    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** A notice has come. */
  get active(): boolean {
    return this.#begun !== undefined
  }

  add(hosted: LivePool, { definition, cwd, env }: PoolTermination): void {
    const { platform, watch, gracePeriodMs, exitCode, save } = definition
    const { pool } = hosted
    const setting = {
      pool,
      cwd,
      env,
      system: this.#system,
      output: (stream: 'stdout' | 'stderr', chunk: Buffer) => {
        hosted.output.push({ worker: 'save', taskId: null, stream, chunk })
      },
    }
    const handler = new PreemptionHandler({
      pools: [preemptible(hosted)],
      termination: {
        platform,
        gracePeriodMs,
        exitCode,
        terminationWatcher: watch,
        // The host leaves, and not each of its pools.
        exit: () => {
          this.#wrappedUp(hosted)
        },
        ...(save === undefined ? {} : { save: (context) => runSave(save, setting, context) }),
      },
      detection: { env },
      ownProcess: null,
      report: (event) => {
        this.#write(hosted, event)
        if (event.kind === 'noticed') this.#noticed(event.notice.source, event.exitCode)
        if (event.kind === 'leaving' && event.leftMs !== null)
          this.#leftUntil = Math.min(this.#leftUntil, performance.now() + event.leftMs)
      },
    })
    this.#handlers.set(hosted, handler)
    // Its launch was under way when the notice came.
    if (this.#begun) handler.notify(this.#begun.source)
  }

  /**
   * Nothing is left to be wrapped up: before a notice it is forgotten, after one its results are saved and that is
   * that.
   */
  ended(hosted: LivePool): void {
    const handler = this.#handlers.get(hosted)
    if (handler?.phase === 'watching') {
      handler.stop()
      this.#handlers.delete(hosted)
    } else if (handler?.phase === 'using') {
      handler.hurry()
    }
  }

  has(hosted: unknown): boolean {
    return this.#handlers.has(hosted as LivePool)
  }

  /** SIGTERM to the host. @returns false when no pool has a `termination`: then it is the host's own affair */
  sigterm(): boolean {
    if (this.#handlers.size === 0 && !this.active) return false
    this.#begun ??= { source: 'SIGTERM' }
    for (const handler of this.#handlers.values()) handler.notify('SIGTERM')
    return true
  }

  /** After a notice: goes on to the end without using the time that is left. */
  hurry(): void {
    for (const handler of this.#handlers.values()) if (handler.phase === 'using') handler.hurry()
  }

  /** Watches no more; what has begun goes on. */
  stop(): void {
    for (const handler of this.#handlers.values()) handler.stop()
  }

  #noticed(source: string, exitCode: number): void {
    this.#begun ??= { source }
    this.#exitCode ??= exitCode
    for (const handler of this.#handlers.values()) if (handler.phase === 'watching') handler.notify(source)
  }

  #wrappedUp(hosted: LivePool): void {
    this.#handlers.delete(hosted)
    if (this.#handlers.size === 0)
      this.#resolve({ exitCode: this.#exitCode ?? 0, leftMs: this.#leftUntil - performance.now() })
  }

  /** Writes to the log and to the pool's output, for its followers. */
  #write({ pool, output }: LivePool, event: PreemptionEvent): void {
    const line = describePreemption(event)
    const details = { pool: pool.name, id: pool.id }
    if (isWarning(event)) this.#log.warn(line, details)
    else this.#log.info(line, details)
    output.push({ worker: 'termination', taskId: null, stream: 'stderr', chunk: Buffer.from(`${line}\n`) })
  }
}

/** With the mean task time that the host itself has measured. */
function preemptible(hosted: LivePool): PreemptiblePool {
  const { pool } = hosted
  return {
    id: pool.id,
    name: pool.name,
    get state() {
      return pool.state
    },
    get meanTaskMs() {
      return hosted.meanTaskMs
    },
    hold: () => {
      pool.hold()
    },
    runningTasks: () => pool.runningTasks(),
    shutdown: (order) => pool.shutdown(order),
  }
}
