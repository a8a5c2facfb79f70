import { Changed, FollowOutput, HostStatus, Output, type HostConnection, type PoolSnapshot } from '../../protocol'
import { CliError } from '../errors'
import type { Terminal } from '../output/terminal'
import { WorkerOutput } from '../output/workerOutput'
import { fetchPools } from '../snapshots'
import { PlainProgress, progressLine } from './progress'
import { StuckNotes } from './stuckNotes'

/** The elapsed time in the progress line moves on, also while nothing else does: that is what a hang looks like. */
const tickMs = 1000

/** Follows one pool to its end: its workers' output, the progress line, and what gets stuck. */
export class PoolFollower {
  private readonly output: WorkerOutput
  private readonly stuckNotes = new StuckNotes()
  private readonly plainProgress = new PlainProgress(Date.now())
  private pool: PoolSnapshot | undefined
  private fetching = false
  private outdated = false
  private messages = 0
  private settle: { resolve: (pool: PoolSnapshot) => void; reject: (error: unknown) => void } | undefined

  constructor(private readonly host: HostConnection, private readonly poolId: string, private readonly terminal: Terminal) {
    this.output = new WorkerOutput(terminal.stdoutPalette.dim)
  }

  /** The pool once it has ended (every line of its output is queued by then). */
  async untilEnded(): Promise<PoolSnapshot> {
    const ended = new Promise<PoolSnapshot>((resolve, reject) => {
      this.settle = { resolve, reject }
    })
    // It may fail before anybody waits for it, while the first request is under way (which then fails, too).
    ended.catch(() => undefined)
    const subscriptions = [
      this.host.on(Changed.method, () => { this.refresh() }),
      this.host.on(Output.method, (params) => { this.show(params) }),
    ]
    this.host.onClose(() => {
      this.settle?.reject(new CliError('the host ended while the pool was running', ['`unhang ps` shows what is left of it.']))
    })
    const ticker = setInterval(() => { this.showProgress() }, tickMs)
    try {
      await this.host.request(FollowOutput.method, { poolId: this.poolId, follow: true })
      this.refresh()
      const pool = await ended
      await this.untilQuiet()
      return pool
    } finally {
      clearInterval(ticker)
      for (const unsubscribe of subscriptions) unsubscribe()
      this.terminal.showStatus('')
      this.terminal.printWorkerLines(this.output.flush())
    }
  }

  /** A pool that printed a lot has more on its way when it ends: the host sends it piece by piece as we read. */
  private async untilQuiet(): Promise<void> {
    for (let seen = -1; seen !== this.messages;) {
      seen = this.messages
      try {
        await this.host.request(HostStatus.method, {})
      } catch {
        // The host has ended with the pool (`unhang host stop`), so nothing more will come.
        return
      }
    }
  }

  private show(params: Output.Params): void {
    if (params.poolId !== this.poolId) return
    this.messages += 1
    this.terminal.printWorkerLines(this.output.push(params))
  }

  /** One request at a time; a change that comes meanwhile is fetched right after. */
  private refresh(): void {
    this.outdated = true
    if (this.fetching) return
    this.fetching = true
    void this.fetchWhileOutdated().catch((error: unknown) => { this.settle?.reject(error) }).finally(() => { this.fetching = false })
  }

  private async fetchWhileOutdated(): Promise<void> {
    while (this.outdated) {
      this.outdated = false
      const pool = (await fetchPools(this.host)).find((candidate) => candidate.id === this.poolId)
      if (pool === undefined) {
        // Another client removed it from the list, which only works once it has ended.
        if (this.pool === undefined) throw new CliError(`pool ${this.poolId} is not there any more`)
        this.settle?.resolve(this.pool)
        return
      }
      this.pool = pool
      for (const line of this.stuckNotes.observe(pool)) this.terminal.note(this.terminal.stderrPalette.warning(line))
      this.showProgress()
      if (pool.state === 'ended') this.settle?.resolve(pool)
    }
  }

  private showProgress(): void {
    const { pool, terminal } = this
    if (pool === undefined || pool.state === 'ended') return
    const now = Date.now()
    const progress = { name: pool.name, counts: pool.counts, elapsedMs: now - pool.startedAt, etaMs: pool.etaMs }
    if (terminal.isInteractive) terminal.showStatus(progressLine(progress, terminal.columns))
    else if (this.plainProgress.isDue(pool.counts, now)) terminal.note(progressLine(progress))
  }
}
