import type { Pseudoterminal, TerminalDimensions } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { Notifications, PoolHeader, LaunchedPool, ParamsOf } from '../../protocol'
import { plainLine } from '../../words'
import type { FolderSession } from '../client/folderSession'
import { DisposableStore, Emitter, disposableInterval } from '../lifecycle'
import { failuresTable } from './failuresTable'
import { OutputLines } from './outputLines'
import { errorLines, summaryLines, tableLines, terminalExitCode, verdictLines, workerLine } from './outcome'
import { programProgressLine, progressLine } from './progressLine'
import { TerminalScreen } from './screen'
import * as styles from './styles'

/** A launch reads the items (a glob over a large tree) and starts the first workers. */
const launchTimeoutMs = 60_000
const progressEveryMs = 1_000
/** Until the terminal says how wide it is. */
const defaultColumns = 80
/** A thousand lost tasks have one cause; the Pools view has them all. */
const mostVerdicts = 3
const interrupted = 'Ctrl+C in its terminal'
const terminalClosed = 'its terminal was closed'
const endOfText = '\u0003'

type Output = Notifications['unhang/output']

export interface PoolTerminalOptions {
  readonly session: FolderSession
  readonly params: ParamsOf<'unhang/launchPool'>
  readonly onLaunched: (poolId: string) => void
  /** Whether the terminal closes because its window goes away, and the pool is to go on without it. */
  readonly leavesPoolRunning: () => Promise<boolean>
  /** Ends the pool through the shutdown core; the reason is kept with the shutdown. */
  readonly terminate: (poolId: string, reason: string) => Promise<void>
  /** What went wrong after the terminal was closed. */
  readonly onError: (error: unknown) => void
}

/** The terminal of one pool task: what the workers print, progress, failures, and an exit code that tells the truth. */
export class PoolTerminal implements Pseudoterminal {
  readonly #options: PoolTerminalOptions
  readonly #written = new Emitter<string>()
  readonly #exited = new Emitter<number>()
  readonly #owned = new DisposableStore()
  readonly #screen = new TerminalScreen((text) => {
    this.#written.fire(text)
  })
  readonly #lines = new Map<string, OutputLines>()
  /** Output that is here before the answer to the launch, which says what pool is ours. */
  readonly #early: Output[] = []
  /** Verdicts of a program's pools that were told. */
  #toldVerdicts = new Set<string>()
  #outputs = 0
  #columns = defaultColumns
  #poolId: string | undefined
  #startedAt = Date.now()
  #state: 'launching' | 'running' | 'ending' | 'over' = 'launching'
  #closed = false
  #interrupted = false

  readonly onDidWrite = this.#written.event
  readonly onDidClose = this.#exited.event

  constructor(options: PoolTerminalOptions) {
    this.#options = options
  }

  open(dimensions: TerminalDimensions | undefined): void {
    if (dimensions !== undefined) this.#columns = dimensions.columns
    void this.#run()
  }

  setDimensions({ columns }: TerminalDimensions): void {
    this.#columns = columns
  }

  /** Ctrl+C asks the pool to end, as it would any program in a terminal. */
  handleInput(data: string): void {
    if (!data.includes(endOfText) || (this.#state !== 'running' && this.#state !== 'launching')) return
    this.#screen.print(styles.dim('^C'))
    // A pool that is still being launched is ended as soon as it is there.
    if (this.#poolId === undefined) this.#interrupted = true
    else void this.#terminate(this.#poolId)
  }

  close(): void {
    this.#closed = true
    if (this.#state === 'over') return
    void this.#afterClose()
  }

  async #afterClose(): Promise<void> {
    const leave = await this.#options.leavesPoolRunning()
    const poolId = this.#poolId
    this.#state = 'over'
    this.#owned.dispose()
    if (!leave && poolId !== undefined)
      await this.#options.terminate(poolId, terminalClosed).catch(this.#options.onError)
  }

  async #run(): Promise<void> {
    const { session, params } = this.#options
    try {
      this.#screen.print(
        styles.dim(
          this.#isProgram
            ? l10n.t('Running {0}, watched …', plainLine(params.label ?? ''))
            : l10n.t('Launching pool “{0}” …', plainLine(params.label ?? '')),
        ),
      )
      this.#owned.add(
        session.onOutput((output) => {
          this.#receive(output)
        }),
      )
      const launched = await session.request(
        'unhang/launchPool',
        { ...params, follow: true },
        { timeoutMs: launchTimeoutMs },
      )
      this.#poolId = launched.poolId
      this.#options.onLaunched(launched.poolId)
      if (this.#isOver()) {
        // The terminal was closed before the pool was there; nobody else would end it.
        await this.#options.terminate(launched.poolId, terminalClosed).catch(this.#options.onError)
        return
      }
      if (this.#interrupted) void this.#terminate(launched.poolId)
      await this.#follow(launched)
    } catch (error) {
      this.#fail(error)
    }
  }

  #isOver(): boolean {
    return this.#closed
  }

  async #follow({ poolId, name, total, warnings }: LaunchedPool): Promise<void> {
    const { session } = this.#options
    this.#state = 'running'
    this.#startedAt = Date.now()
    const tasks = total === 1 ? l10n.t('1 task, {0}', poolId) : l10n.t('{0} tasks, {1}', total, poolId)
    this.#screen.print(
      `${styles.bold(plainLine(name))} ${styles.dim(this.#isProgram ? poolId : tasks)}`,
      ...warnings.map((warning) => styles.yellow(plainLine(warning))),
    )
    for (const output of this.#early.splice(0)) this.#receive(output)
    this.#owned.add(
      session.store.onDidChange(() => {
        this.#update(poolId)
      }),
    )
    this.#owned.add(
      session.onDidLoseHost(() => {
        this.#fail(
          new Error(
            l10n.t('The host that ran this pool went away. What is left of the pool is shown in the Pools view.'),
          ),
        )
      }),
    )
    this.#owned.add(
      disposableInterval(() => {
        this.#update(poolId)
      }, progressEveryMs),
    )
    await session.refresh()
    this.#update(poolId)
  }

  #update(poolId: string): void {
    if (this.#state !== 'running') return
    const pool = this.#options.session.store.pool(poolId)?.header
    if (pool === undefined) return
    if (pool.state === 'ended') void this.#finish(pool)
    else if (pool.program === null) this.#screen.status(progressLine(pool, Date.now() - this.#startedAt, this.#columns))
    else this.#updateProgram(pool)
  }

  /** A program is its pools: what they do, and what is wrong with them as soon as it is known. */
  #updateProgram(program: PoolHeader): void {
    const inside = this.#options.session.store.pools
      .map(({ header }) => header)
      .filter(({ programId }) => programId === program.id)
    const stuck = new Map(
      [program, ...inside]
        .filter(({ state }) => state !== 'ended')
        .flatMap(({ id, verdicts }) =>
          verdicts
            .filter((verdict) => verdict.stuck)
            .map(
              (verdict) => [`${id} ${verdict.code} ${String(verdict.pid)} ${String(verdict.task)}`, verdict] as const,
            ),
        ),
    )
    const fresh = [...stuck].filter(([key]) => !this.#toldVerdicts.has(key)).map(([, verdict]) => verdict)
    this.#screen.print(...fresh.slice(0, mostVerdicts).flatMap(verdictLines))
    if (fresh.length > mostVerdicts)
      this.#screen.print(styles.yellow(l10n.t('… and {0} more', fresh.length - mostVerdicts)))
    // One that went and came back is news again.
    this.#toldVerdicts = new Set(stuck.keys())
    this.#screen.status(programProgressLine(inside, Date.now() - this.#startedAt, this.#columns))
  }

  /** It prints as it would in a terminal of its own: its lines are its own, not a worker's. */
  get #isProgram(): boolean {
    return this.#options.params.definition?.program !== undefined
  }

  #receive(output: Output): void {
    if (this.#poolId === undefined) this.#early.push(output)
    else if (output.poolId === this.#poolId) this.#printOutput(output)
  }

  #printOutput({ chunks, dropped }: Output): void {
    this.#outputs += 1
    if (this.#state === 'over') return
    const lines: string[] = []
    if (dropped > 0)
      lines.push(
        styles.yellow(
          l10n.t('… {0} bytes were left out because they came too fast; the files of the tasks have them.', dropped),
        ),
      )
    for (const { worker, stream, text } of chunks) {
      const key = `${stream}/${worker}`
      let buffer = this.#lines.get(key)
      if (buffer === undefined) this.#lines.set(key, (buffer = new OutputLines()))
      lines.push(...buffer.push(text).map((line) => this.#outputLine(worker, stream, line)))
    }
    this.#screen.print(...lines)
  }

  #outputLine(worker: string, stream: string, line: string): string {
    return this.#isProgram ? line : workerLine(worker, stream, line)
  }

  async #finish(pool: PoolHeader): Promise<void> {
    this.#state = 'ending'
    const { session } = this.#options
    try {
      await this.#untilQuiet()
      await session.requestIfConnected('unhang/followOutput', { poolId: pool.id, follow: false })
      for (const [key, buffer] of this.#lines) {
        const [stream = '', worker = ''] = key.split(/\/(.*)/s)
        this.#screen.print(...buffer.flush().map((line) => this.#outputLine(worker, stream, line)))
      }
      this.#screen.clearStatus()
      const failures =
        pool.program === null ? await session.requestIfConnected('unhang/failures', { poolId: pool.id }) : undefined
      if (failures !== undefined) this.#screen.print(...tableLines(failuresTable(failures, this.#columns)))
      this.#screen.print(...summaryLines(pool, Date.now() - this.#startedAt))
      this.#exit(terminalExitCode(pool))
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * A pool that printed a lot has more on its way when it ends: the host sends it piece by piece as we read, each piece
   * before the answer to whatever is asked next.
   */
  async #untilQuiet(): Promise<void> {
    for (let seen = -1; seen !== this.#outputs;) {
      seen = this.#outputs
      await this.#options.session.requestIfConnected('unhang/hostStatus', {})
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'over') return
    this.#screen.clearStatus()
    for (const line of errorLines(error)) this.#screen.print(styles.red(line))
    this.#exit(1)
  }

  #exit(code: number): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#owned.dispose()
    this.#exited.fire(code)
  }

  async #terminate(poolId: string): Promise<void> {
    try {
      await this.#options.terminate(poolId, interrupted)
    } catch (error) {
      for (const line of errorLines(error)) this.#screen.print(styles.red(line))
    }
  }
}
