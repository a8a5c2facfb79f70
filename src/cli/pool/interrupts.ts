/** What an interrupt asks for: the first to terminate, the second to kill, the third to leave. */
export type InterruptStep = 'terminate' | 'kill' | 'leave'
const steps: readonly InterruptStep[] = ['terminate', 'kill', 'leave']

/**
 * Ctrl-C (and SIGTERM, as `timeout` sends it) while a pool is followed. SIGHUP is left alone: a closed terminal ends the
 * command, and the pool goes on in the host.
 */
export class Interrupts {
  private count = 0
  private listener: ((step: InterruptStep) => void) | undefined
  private readonly pending: InterruptStep[] = []

  private readonly onSignal = (): void => {
    const step = steps[Math.min(this.count, steps.length - 1)] ?? 'leave'
    this.count += 1
    if (this.listener === undefined) this.pending.push(step)
    else this.listener(step)
  }

  constructor(private readonly source: Pick<NodeJS.Process, 'on' | 'off'> = process) {
    source.on('SIGINT', this.onSignal)
    source.on('SIGTERM', this.onSignal)
  }

  /** From now on each interrupt goes to `listener`; those that came before it go first. */
  listen(listener: (step: InterruptStep) => void): void {
    this.listener = listener
    for (const step of this.pending.splice(0)) listener(step)
  }

  /** Back to what the signals do by default. */
  dispose(): void {
    this.source.off('SIGINT', this.onSignal)
    this.source.off('SIGTERM', this.onSignal)
  }
}
