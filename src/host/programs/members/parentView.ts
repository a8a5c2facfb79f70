import type { ParentFacts } from '../../../diagnosis'
import type { ProcessIdentity } from '../../../processes'
import { RecorderFile, type RecordedProcess } from '../../../runtimes'
import { Movement } from './movement'
import type { ObserverLink } from '../observers/observerLink'
import { observedSchema, type Hello, type Observed, type ObservedPool } from '../observers/observerMessages'
import { steadyOf } from '../context/steadyTime'
import type { WatchSession } from '../observers/watchSession'

/** A look should not wait long for a program that does not answer. */
const snapshotTimeoutMs = 400

/** A process that becomes another program (exec) keeps its pid and start time, and says hello again. */
let views = 0

/** One process of the program that makes pools: its observer and its flight recorder. */
export class ParentView {
  readonly #session: WatchSession
  readonly #onError: (error: unknown) => void

  /** Differs from that of any other, whatever their pids. */
  readonly key = `${(views += 1)}`
  identity: ProcessIdentity | undefined
  /** Kills of the OOM killer in its control group when it was first seen; null while unknown. */
  oomKillsBefore: number | null = null
  /** The newest answer of the observer; stays when it stops answering. */
  observed: Observed | undefined
  /** When that was, in steady time. */
  observedAt = -Infinity
  answers = false
  /** Slot 0 is the parent itself. */
  processes: readonly RecordedProcess[] = []
  sigterm: ParentFacts['sigterm'] = null
  readonly movement = new Movement()
  #recorder: RecorderFile | undefined
  /** Of each pool, by key, as the answer before had them. */
  #threadsBefore: ReadonlyMap<number, ObservedPool['threads']> = new Map()

  constructor(
    readonly hello: Hello,
    readonly recorderName: string,
    readonly link: ObserverLink,
    session: WatchSession,
    onError: (error: unknown) => void,
  ) {
    this.#session = session
    this.#onError = onError
  }

  get pid(): number {
    return this.hello.pid
  }

  /** Asks the observer; the recorder is read after it, so that what it says is never older than the answer. */
  async ask(): Promise<void> {
    try {
      const answer = await this.link.ask('snapshot', {}, observedSchema, snapshotTimeoutMs)
      this.observed = {
        ...answer,
        pools: answer.pools.map((pool) => ({
          ...pool,
          threads: seenTwice(pool.threads, this.#threadsBefore.get(pool.key)),
        })),
      }
      this.observedAt = steadyOf(answer.time * 1000)
      this.#threadsBefore = new Map(answer.pools.map(({ key, threads }) => [key, threads]))
      this.answers = true
    } catch (error) {
      this.answers = false
      if (this.link.connected) this.#onError(error)
    }
  }

  /** Reads the recorder alone; works when the program is dead, too. */
  read(): void {
    try {
      this.#recorder ??= new RecorderFile(this.#session.file(this.recorderName))
      this.processes = this.#recorder.read().processes
    } catch (error) {
      this.#onError(error)
    }
  }

  close(): void {
    this.link.end()
    this.#recorder?.[Symbol.dispose]()
    this.#recorder = undefined
  }
}

/**
 * A thread has ended when two answers say so: the program goes on while its observer looks around, and one that is
 * being started, or whose pool is being taken down, may look like it once.
 */
function seenTwice(now: ObservedPool['threads'], before: ObservedPool['threads'] | undefined): ObservedPool['threads'] {
  const sure = (name: keyof ObservedPool['threads']) =>
    now[name] === false && before?.[name] !== false ? null : now[name]
  return { workers: sure('workers'), tasks: sure('tasks'), results: sure('results') }
}
