import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { isAlive, type ProcessIdentity } from '../../../processes'
import type { ProgramContext } from '../context/programContext'
import { ParentView } from '../members/parentView'
import { ObserverLink } from '../observers/observerLink'
import type { WatchSession } from '../observers/watchSession'
import type { Membership } from './membership'

/** The program whose observers these are. */
interface ObservedProgram {
  readonly name: string
  readonly live: boolean
  readonly root: ProcessIdentity | undefined
}

/** The observers in the processes of a watched program, each with its view of the pools that its process made. */
export class ObserversInside {
  readonly parents = new Set<ParentView>()
  /** Of the first observer that was inside. */
  python: string | undefined
  /** Why no observer is inside; null where one is, or may still come. */
  failure: string | null

  readonly #program: ObservedProgram
  readonly #session: WatchSession
  readonly #context: ProgramContext
  readonly #hurry: () => void

  /** @param hurry Called when a look would find something new. */
  constructor(
    program: ObservedProgram,
    session: WatchSession,
    context: ProgramContext,
    failure: string | null,
    hurry: () => void,
  ) {
    this.#program = program
    this.#session = session
    this.#context = context
    this.failure = failure
    this.#hurry = hurry
  }

  /** A process connects to the session's socket; nothing is believed before its hello. */
  connected(socket: Socket, token: string): void {
    const { log } = this.#context
    const { name } = this.#program
    // The socket keeps the link alive.
    new ObserverLink(socket, token, {
      ready: (link, hello) => {
        if (hello.recorder === null) return
        if (!this.#program.live) {
          link.end()
          return
        }
        this.python ??= hello.python
        this.parents.add(
          new ParentView(hello, hello.recorder, link, this.#session, (error) => {
            log.debug('An observer did not answer.', { program: name, pid: hello.pid, error: String(error) })
          }),
        )
        log.info('An observer is inside.', { program: name, pid: hello.pid, python: hello.python })
        this.#hurry()
      },
      changed: this.#hurry,
      failed: (message, { pid, recorder }) => {
        log.warn('An observer has disabled itself.', { program: name, pid, message })
        // A tool that the program runs may be an old Python; the program is observed all the same.
        if (recorder === null && this.python !== undefined) return
        this.failure = message
        this.#hurry()
      },
      gone: this.#hurry,
      refused: (why) => {
        log.warn('An observer was turned away.', { program: name, why })
      },
    })
  }

  /** The observer in that process, while it is connected. */
  of(pid: number): ParentView | undefined {
    return this.connectedOnes().find((parent) => parent.pid === pid)
  }

  connectedOnes(): ParentView[] {
    return [...this.parents].filter(({ link }) => link.connected)
  }

  /** Asks all of them for their pools. */
  async ask(): Promise<void> {
    await Promise.all([...this.parents].map((parent) => parent.ask()))
  }

  /** Reads the recorders. A program may have hundreds, with thousands of rows each: the event loop turns in between. */
  async sync(membership: Membership): Promise<void> {
    for (const parent of [...this.parents]) {
      parent.read()
      membership.sync(parent)
      if (this.parents.size > 1) await setImmediate()
    }
  }

  /** Closes the views of processes that are gone: they would stay open for as long as the program runs. */
  async closeGone(membership: Membership): Promise<void> {
    for (const parent of this.parents) {
      if (parent.link.connected) continue
      const found = await this.#context.processes.identify(parent.pid)
      const runs =
        found?.startTime.endsWith(`-${parent.hello.startTicks}`) === true &&
        (await isAlive(this.#context.processes, found))
      // In a process that runs, the observer alone has failed, or the new program of the process has said hello.
      const replaced = this.connectedOnes().some((other) => other !== parent && other.pid === parent.pid)
      if (runs && !replaced) continue
      // With the main process the whole program ends, see ProgramLook.afterEnd.
      if (parent.pid === this.#program.root?.pid && !replaced) continue
      if (!membership.closeParent(parent)) continue
      parent.close()
      this.parents.delete(parent)
      if (!replaced) this.#session.remove(parent.recorderName)
    }
  }

  close(): void {
    for (const parent of this.parents) parent.close()
  }
}
