import { HostHungError, HostTimeoutError, hungAfterMs, patience, type HostConnection } from '../../discovery'
import type { PoolSnapshot, WatchOptions, ProgramSession, ResultOf } from '../../protocol'
import { plainLine } from '../../words'
import { FreshPools } from '../freshPools'
import type { Terminal } from '../output/terminal'
import { VerdictNotes } from './verdictNotes'

/**
 * The program waits for this answer before it starts: of a host that was there, as long as of any first answer. One
 * that has just started is slower.
 */
const sessionTimeoutMs = (host: HostConnection): number => (host.started ? 5000 : hungAfterMs) * patience()
/**
 * The program has ended and its exit code is waited for. A host that is busy ending the rest of it may take a moment.
 */
const farewellTimeoutMs = 2000

/** How a program came to its end. */
export interface ProgramEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * The host's side of a program that runs here: told of its start and its end, and asked what is wrong with it. Nothing
 * here throws or waits for long after the start: a host that hangs or dies is said once, and the program runs on.
 */
export class Watching {
  readonly #host: HostConnection
  readonly #terminal: Terminal

  readonly #notes: VerdictNotes
  #state: 'watching' | 'silent' | 'over' = 'watching'
  readonly #pools: FreshPools
  #notObserved: string | undefined

  private constructor(
    host: HostConnection,
    terminal: Terminal,
    readonly session: ProgramSession,
    { onStuck }: WatchOptions,
  ) {
    this.#host = host
    this.#terminal = terminal

    this.#notes = new VerdictNotes(onStuck)
    this.#pools = new FreshPools(
      host,
      (pools) => {
        this.#say(pools)
      },
      (error) => {
        this.#failed(error)
      },
    )
    host.on('unhang/changed', () => {
      this.#pools.refresh()
    })
    // Also after the program's end, which it may have brought about.
    host.on('unhang/policyActed', (acted) => {
      if (acted.programId === session.programId) this.#warn(this.#notes.acted(acted, plainLine(session.name)))
    })
    host.onClose(() => {
      this.#hostIsGone()
    })
    this.#sayNotObserved(session.notObserved)
  }

  /** Asks for a session. Rejects when there is none to be had. */
  static async begin(
    host: HostConnection,
    terminal: Terminal,
    argv: string[],
    options: WatchOptions,
  ): Promise<Watching> {
    const env = Object.fromEntries(
      Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
    const session = await host.request(
      'unhang/runProgram',
      { argv, cwd: process.cwd(), env, options },
      { timeoutMs: sessionTimeoutMs(host) },
    )
    return new Watching(host, terminal, session, options)
  }

  /** The program runs. */
  started(pid: number): void {
    const { programId } = this.session
    this.#host.request('unhang/programStarted', { programId, pid }).then(
      () => {
        this.#pools.refresh()
      },
      (error: unknown) => {
        this.#failed(error)
      },
    )
    if (this.#terminal.isInteractive) {
      this.#terminal.note(
        this.#terminal.stderrPalette.dim(
          `watched as ${plainLine(this.session.name)} (${programId}); in another terminal: unhang why`,
        ),
      )
    }
  }

  /**
   * The program has ended, or never started.
   * @returns the signal by which Unhang ended it; null where it did not, or where no host is left to tell.
   */
  async exited(end: ProgramEnd): Promise<ResultOf<'unhang/programExited'>['endedBy']> {
    const gone = this.#state === 'over'
    this.#state = 'over'
    if (gone) return null
    try {
      return (
        await this.#host.request(
          'unhang/programExited',
          { programId: this.session.programId, ...end },
          { timeoutMs: farewellTimeoutMs },
        )
      ).endedBy
    } catch {
      // The host sees the process end by itself; whoever started the program waits for its exit code, not for this.
      return null
    }
  }

  #say(pools: readonly PoolSnapshot[]): void {
    const { programId } = this.session
    // The program may have ended while the host answered.
    if (this.#state === 'over') return
    this.#state = 'watching'
    const program = pools.find((pool) => pool.id === programId)?.program
    if (program?.observer === 'failed') this.#sayNotObserved(program.message)
    this.#warn(this.#notes.observe(pools.filter((pool) => pool.id === programId || pool.programId === programId)))
  }

  /** Once: until it is started in another way, it stays so. */
  #sayNotObserved(why: string | null | undefined): void {
    if (why == null || this.#notObserved !== undefined) return
    this.#notObserved = why
    this.#note(`${plainLine(this.session.name)} is not observed: ${plainLine(why)}`)
  }

  #warn(lines: readonly string[]): void {
    for (const line of lines) this.#terminal.note(this.#terminal.stderrPalette.warning(line))
  }

  #failed(error: unknown): void {
    if (this.#state !== 'watching') return
    if (error instanceof HostTimeoutError || error instanceof HostHungError) {
      this.#state = 'silent'
      this.#note(`the host does not answer; ${plainLine(this.session.name)} runs on`)
    } else {
      this.#hostIsGone()
    }
  }

  #hostIsGone(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#note(`the host has ended; ${plainLine(this.session.name)} runs on, unwatched`)
  }

  #note(text: string): void {
    this.#terminal.note(this.#terminal.stderrPalette.warning(`unhang: ${text}`))
  }
}
