import type { ShutdownActor } from '../types'

/** What the preemption handler needs of a pool; `Pool` of src/core is one. */
export interface PreemptiblePool {
  readonly id: string
  readonly name: string
  /** `init`, `run`, `close`, `terminate` or `ended`. */
  readonly state: string
  /** Mean run time of the tasks that are done, milliseconds; null while there is none. */
  readonly meanTaskMs: number | null
  /** From this turn on no task is started; those that run go on. */
  hold(): void
  /** Tasks that have started and not ended. */
  runningTasks(): readonly { readonly id: string; readonly label: string; readonly stuck: boolean }[]
  /** Ends it through the shutdown core. */
  shutdown(order: PreemptionOrder): Promise<{ readonly issues: readonly string[] }>
}

/** How the handler has a pool shut down. */
export interface PreemptionOrder {
  readonly kill: boolean
  readonly useSigkill: boolean
  readonly gracePeriodMs: number
  readonly askedBy: Extract<ShutdownActor, 'preemption'>
  readonly reason: string
}
