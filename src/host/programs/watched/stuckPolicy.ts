import type { WatchOptions, PolicyActed } from '../../../protocol'
import type { ProgramContext } from '../context/programContext'
import { wireVerdict, type ProgramPart } from '../parts/programPart'
import type { Rescuer } from './rescuer'
import { WatchedPool } from './watchedPool'

/** A thousand lost tasks have one cause. */
const mostTold = 20

/** What the policy needs of its program. */
export interface StuckProgram {
  readonly id: string
  readonly rescuer: Rescuer
  /** Ends the program through the shutdown core. */
  end(kill: boolean, reason: string): void
  /** Something was done to it: have a look soon. */
  hurry(): void
}

/** What `onStuck` of a watched program does, and tells everybody before it does it. */
export class StuckPolicy {
  readonly #onStuck: NonNullable<WatchOptions['onStuck']>
  readonly #program: StuckProgram
  readonly #context: Pick<ProgramContext, 'acted'>

  #ended = false

  constructor(
    onStuck: NonNullable<WatchOptions['onStuck']>,
    program: StuckProgram,
    context: Pick<ProgramContext, 'acted'>,
  ) {
    this.#onStuck = onStuck
    this.#program = program
    this.#context = context
  }

  /** @param parts The program and its pools, right after their verdicts were made anew. */
  async act(parts: readonly ProgramPart[]): Promise<void> {
    const onStuck = this.#onStuck
    const program = this.#program
    if (onStuck === 'flag' || this.#ended) return
    for (const part of parts) {
      const stuck = part.verdicts.filter((verdict) => verdict.stuck)
      const [first] = stuck
      if (first === undefined) continue
      const tell = (outcome: PolicyActed['outcome'], what: readonly string[]): void => {
        this.#context.acted({
          programId: program.id,
          poolId: part.id,
          name: part.name,
          onStuck,
          outcome,
          what: what.slice(0, mostTold),
          verdicts: stuck.slice(0, mostTold).map(wireVerdict),
        })
      }
      if (onStuck !== 'retry') {
        this.#ended = true
        tell('ends', [])
        program.end(onStuck === 'kill', first.summary)
        return
      }
      if (!(part instanceof WatchedPool)) continue
      const { done, gaveUp } = await program.rescuer.retryByPolicy(part)
      if (gaveUp.length > 0) tell('gaveUp', gaveUp)
      if (done.length > 0) {
        tell('retried', done)
        program.hurry()
      }
    }
  }
}
