/** What an interrupt asks for: the first to terminate, the second to kill, the third to leave. */
export type InterruptStep = 'terminate' | 'kill' | 'leave'
const steps: readonly InterruptStep[] = ['terminate', 'kill', 'leave']

export interface Interrupt {
  readonly step: InterruptStep
  /**
   * False when it came from a program (SIGTERM, as `timeout` or a CI system sends it): nobody will type a second one.
   */
  readonly typed: boolean
}

/**
 * Ctrl-C (and SIGTERM) while a pool is followed. SIGHUP is left alone: a closed terminal ends the command, and the pool
 * goes on in the host.
 */
export class Interrupts {
  readonly #source: Pick<NodeJS.Process, 'on' | 'off'>

  #count = 0
  #listener: ((interrupt: Interrupt) => void) | undefined
  readonly #pending: Interrupt[] = []

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const interrupt = { step: steps[this.#count] ?? 'leave', typed: signal === 'SIGINT' }
    this.#count += 1
    if (this.#listener === undefined) this.#pending.push(interrupt)
    else this.#listener(interrupt)
  }

  constructor(source: Pick<NodeJS.Process, 'on' | 'off'> = process) {
    this.#source = source

    source.on('SIGINT', this.#onSignal)
    source.on('SIGTERM', this.#onSignal)
  }

  /** From now on each interrupt goes to `listener`; those that came before it go first. */
  listen(listener: (interrupt: Interrupt) => void): void {
    this.#listener = listener
    for (const interrupt of this.#pending.splice(0)) listener(interrupt)
  }

  /** Back to what the signals do by default. */
  dispose(): void {
    this.#source.off('SIGINT', this.#onSignal)
    this.#source.off('SIGTERM', this.#onSignal)
  }
}
