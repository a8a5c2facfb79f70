import type { ShutdownDependencies } from '../../shutdown'
import type { Tell } from '../outcomes/taskOutcomes'
import type { PoolSettings } from '../terms/options'

/** The pool, for the parts of its run. */
export interface RunContext {
  readonly id: string
  readonly settings: PoolSettings
  readonly system: ShutdownDependencies
  readonly tell: Tell
  /** No process of the pool is left. */
  forget(): void
}
