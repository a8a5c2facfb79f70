import { url as inspectorUrl } from 'node:inspector'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Log } from '../terms/log'
import { beatAt, beatMs, sharedLength, watchingAt, type WatchdogData } from './shared'

/**
 * A thread that notices when the host's event loop is blocked (a system call that waits, a loop without an end), and
 * writes the place into the host's log at once: the host itself could do so only afterwards.
 *
 * It costs two wakes a second for each of the two threads, some ten microseconds each, and those only while a client is
 * connected or a pool runs: otherwise there is no timer, and the thread sleeps without a time limit.
 */
export class Watchdog {
  readonly #logFile: string
  readonly #log: Log

  readonly #shared = new Int32Array(new SharedArrayBuffer(sharedLength * Int32Array.BYTES_PER_ELEMENT))
  #beats: NodeJS.Timeout | undefined
  #started = false

  constructor(logFile: string, log: Log) {
    this.#logFile = logFile
    this.#log = log
  }

  /** Turns the checks on or off; the thread is started when the host is first needed. */
  watch(isNeeded: boolean): void {
    if (isNeeded === (this.#beats !== undefined)) return
    if (!isNeeded) {
      clearInterval(this.#beats)
      this.#beats = undefined
    } else {
      this.#beats = setInterval(() => {
        Atomics.add(this.#shared, beatAt, 1)
      }, beatMs).unref()
      // After the first answers: it takes some milliseconds.
      if (!this.#started)
        setImmediate(() => {
          this.#start()
        })
      this.#started = true
    }
    Atomics.store(this.#shared, watchingAt, isNeeded ? 1 : 0)
    Atomics.notify(this.#shared, watchingAt)
  }

  #start(): void {
    const workerData: WatchdogData = {
      shared: this.#shared,
      logFile: this.#logFile,
      mainThread: process.pid,
      mayInspect: inspectorUrl() === undefined,
    }
    try {
      const worker = new Worker(join(__dirname, 'host-watchdog.js'), {
        workerData,
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 32 },
      })
      // The host ends as without it.
      worker.unref()
      worker.on('error', (error) => {
        this.#log.warn('The watchdog has ended: a host that stands still will not say where.', error)
      })
    } catch (error) {
      this.#log.warn('The watchdog could not be started: a host that stands still will not say where.', error)
    }
  }
}
