import { createHistogram } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'
import type { FunctionReference } from '../../runtimes'
import { callLabel } from '../terms/labels'
import type { TaskArguments } from '../terms/arguments'
import type { FunctionStats, Spread } from '../terms/types'

/** Tasks of a function that takes less are sent ahead of need: then the way to the worker is what costs. */
const shortMicros = 1000
/** So much work is sent ahead to a worker, and */
const aheadMicros = 1000
/** never more tasks than this: enough to keep the pipe busy (measured: more brings little). */
const mostAhead = 256
/** Nothing is sent ahead before this many have shown how long they take. */
const firstRuns = 4
/** Weight of the newest run: the last dozen decide. */
const newest = 1 / 8

/** A function that tasks call, and what is known of its runs. */
export class TaskFunction implements FunctionReference {
  /**
   * Moving average of its run time. Rises with one long run, and falls slowly: of a mixture it tells the longer part.
   */
  #averageMicros = 0
  #runs = 0
  #prints = false
  readonly #run: RecordableHistogram = createHistogram()
  readonly #wait: RecordableHistogram = createHistogram()

  constructor(
    /** In frames. */
    readonly id: number,
    /** null: the pool's. */
    readonly module: string | null,
    readonly name: string,
    /** As labels say it. */
    readonly labelName: string,
  ) {}

  labelOf(args: TaskArguments): string {
    return callLabel(this.labelName, args === null || Buffer.isBuffer(args) ? [] : args)
  }

  /** How many of its tasks may be with one worker, the running one included. */
  get depth(): number {
    if (this.#prints || this.#runs < firstRuns || this.#averageMicros >= shortMicros) return 1
    return Math.min(mostAhead, Math.max(2, Math.floor(aheadMicros / Math.max(this.#averageMicros, 1))))
  }

  /** One has been started, `waitedTenths` of a millisecond after it was handed in. */
  started(waitedTenths: number): void {
    this.#wait.record(Math.max(1, waitedTenths))
  }

  /** One has ended by itself. */
  ended(micros: number): void {
    this.#runs++
    this.#averageMicros =
      micros > this.#averageMicros
        ? micros * newest + this.#averageMicros * (1 - newest)
        : (micros * newest) / 4 + this.#averageMicros * (1 - newest / 4)
    this.#run.record(Math.max(1, micros))
  }

  /** What it prints could not be told apart from what its successor prints: one at a time, then. */
  printed(): void {
    this.#prints = true
  }

  /** Undefined while none of its tasks has been started. */
  stats(): FunctionStats | undefined {
    if (this.#wait.count === 0) return undefined
    return {
      name: this.name,
      module: this.module,
      runs: this.#runs,
      runMs: spread(this.#run, 1000),
      waitMs: spread(this.#wait, 10),
    }
  }
}

function spread(histogram: RecordableHistogram, unitsPerMs: number): Spread | null {
  if (histogram.count === 0) return null
  return {
    min: histogram.min / unitsPerMs,
    mean: histogram.mean / unitsPerMs,
    p50: histogram.percentile(50) / unitsPerMs,
    p90: histogram.percentile(90) / unitsPerMs,
    p99: histogram.percentile(99) / unitsPerMs,
    max: histogram.max / unitsPerMs,
  }
}
