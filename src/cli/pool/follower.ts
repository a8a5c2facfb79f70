import { HostHungError, HostTimeoutError, type HostConnection } from '../../discovery'
import { poolsOfProgram, type CountsSnapshot, type PoolSnapshot, type Output } from '../../protocol'
import { CliError } from '../errors'
import { FreshPools } from '../freshPools'
import type { Terminal } from '../output/terminal'
import { WorkerOutput } from '../output/workerOutput'
import { VerdictNotes } from '../run/verdictNotes'
import { addCounts } from '../words/counts'
import { PlainProgress, progressLine } from './progress'
import { StuckNotes } from './stuckNotes'

/** The elapsed time in the progress line moves on, also while nothing else does: that is what a hang looks like. */
const tickMs = 1000

/**
 * Follows one pool to its end: its workers' output, the progress line, and what gets stuck. Made before the pool is
 * launched (with `follow`), so that not a byte of its output is missed.
 */
export class PoolFollower {
  readonly #host: HostConnection
  readonly #terminal: Terminal

  readonly #output: WorkerOutput
  readonly #stuckNotes = new StuckNotes()
  readonly #verdictNotes = new VerdictNotes()
  readonly #plainProgress = new PlainProgress(Date.now())
  #pool: PoolSnapshot | undefined
  /** Its tasks; of a program those of the pools in it. */
  #counts: CountsSnapshot | undefined
  readonly #pools: FreshPools
  #messages = 0
  #poolId: string | undefined
  readonly #early: Output[] = []
  readonly #stopOutput: () => void
  #silent = false
  readonly #ended: Promise<PoolSnapshot>
  #settle: { resolve: (pool: PoolSnapshot) => void; reject: (error: unknown) => void } | undefined

  constructor(host: HostConnection, terminal: Terminal) {
    this.#host = host
    this.#terminal = terminal

    this.#pools = new FreshPools(
      host,
      (pools) => {
        this.#take(
          pools.find((pool) => pool.id === this.#poolId),
          pools,
        )
      },
      (error) => {
        this.#failed(error)
      },
    )
    this.#output = new WorkerOutput(host.endpoint.outputDirectory, terminal.stdoutPalette.dim)
    this.#ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // It may fail before anybody waits for it.
    this.#ended.catch(() => undefined)
    this.#stopOutput = host.on('unhang/output', (params) => {
      // Output of a quick pool may be here before the answer to its launch.
      if (this.#poolId === undefined) this.#early.push(params)
      else this.#show(params)
    })
  }

  /** The pool once it has ended (every line of its output is queued by then). */
  async untilEnded(poolId: string): Promise<PoolSnapshot> {
    this.#poolId = poolId
    const unsubscribe = this.#host.on('unhang/changed', () => {
      this.#pools.refresh()
    })
    this.#host.onClose(() => {
      this.#settle?.reject(
        new CliError('the host ended while the pool was running', ['`unhang ps` shows what is left of it.']),
      )
    })
    const ticker = setInterval(() => {
      this.#showProgress()
      if (this.#silent && !this.#pools.fetching) this.#pools.refresh()
    }, tickMs)
    try {
      for (const output of this.#early.splice(0)) this.#show(output)
      this.#pools.refresh()
      const pool = await this.#ended
      await this.#untilQuiet()
      return pool
    } finally {
      clearInterval(ticker)
      unsubscribe()
      this.#stopOutput()
      this.#terminal.showStatus('')
      this.#terminal.printWorkerLines(this.#output.flush())
    }
  }

  /** Stops following: {@link untilEnded} rejects with the reason. */
  giveUp(reason: Error): void {
    this.#settle?.reject(reason)
  }

  /** A pool that printed a lot has more on its way when it ends: the host sends it piece by piece as we read. */
  async #untilQuiet(): Promise<void> {
    for (let seen = -1; seen !== this.#messages;) {
      seen = this.#messages
      try {
        await this.#host.request('unhang/hostStatus', {})
      } catch {
        // The host has ended with the pool (`unhang host stop`), so nothing more will come.
        return
      }
    }
  }

  #show(params: Output): void {
    if (params.poolId !== this.#poolId) return
    this.#messages += 1
    this.#terminal.printWorkerLines(this.#output.push(params))
  }

  /**
   * A host that is stopped or swamped may come back, and its pool goes on meanwhile: said once, asked again and again.
   */
  #failed(error: unknown): void {
    if (!(error instanceof HostTimeoutError || error instanceof HostHungError)) {
      this.#settle?.reject(error)
      return
    }
    if (!this.#silent) this.#terminal.note(this.#terminal.stderrPalette.warning(error.message))
    this.#silent = true
  }

  #take(pool: PoolSnapshot | undefined, pools: readonly PoolSnapshot[]): void {
    this.#silent = false
    if (pool === undefined) {
      // Another client removed it from the list, which only works once it has ended.
      if (this.#pool === undefined)
        this.#settle?.reject(new CliError(`pool ${String(this.#poolId)} is not there any more`))
      else this.#settle?.resolve(this.#pool)
      return
    }
    this.#pool = pool
    const inside = pool.program === null ? [] : poolsOfProgram(pool, pools)
    this.#counts = inside.map((other) => other.counts).reduce(addCounts, pool.counts)
    for (const line of pool.program === null
      ? this.#stuckNotes.observe(pool)
      : this.#verdictNotes.observe([pool, ...inside]))
      this.#terminal.note(this.#terminal.stderrPalette.warning(line))
    this.#showProgress()
    if (pool.state === 'ended') this.#settle?.resolve(pool)
  }

  #showProgress(): void {
    const pool = this.#pool
    const counts = this.#counts
    const terminal = this.#terminal
    if (pool === undefined || counts === undefined || pool.state === 'ended') return
    const now = Date.now()
    const progress = { name: pool.name, counts, elapsedMs: now - pool.startedAt, etaMs: pool.etaMs }
    if (terminal.isInteractive) terminal.showStatus(progressLine(progress, terminal.columns))
    else if (this.#plainProgress.isDue(counts, now)) terminal.note(progressLine(progress))
  }
}
