import type { StateLog } from '../state/stateLog'
import { errorCodes, type PoolHeader } from '../../protocol'
import { RequestError } from '../terms/requestError'
import type { HostedPool } from './hostedPool'

/** Ended pools that stay listed: a day of launches, and a snapshot of all of them is still small. */
export const listedEndedPools = 50

/** Every pool of this host, running and ended, in the order they were launched. */
export class PoolRegistry {
  readonly #state: StateLog
  readonly #onError: (error: unknown) => void

  readonly #pools = new Map<string, HostedPool>()

  constructor(state: StateLog, onError: (error: unknown) => void) {
    this.#state = state
    this.#onError = onError
  }

  add(pool: HostedPool): void {
    this.#pools.set(pool.id, pool)
    this.#state.addPool(pool)
    const ended = [...this.#pools.values()].filter((other) => !other.live)
    for (const old of ended.slice(0, Math.max(0, ended.length - listedEndedPools))) this.#forget(old)
  }

  has(id: string): boolean {
    return this.#pools.has(id)
  }

  /** @throws {@link RequestError} */
  get(id: string): HostedPool {
    const pool = this.#pools.get(id)
    if (!pool)
      throw new RequestError(
        errorCodes.notFound,
        `There is no pool ${id}. It may have been removed, or belong to a host that has ended; look again with ` +
          `\`unhang ps\`.`,
      )
    return pool
  }

  /** @throws {@link RequestError} while it has live workers. */
  remove(id: string): void {
    const pool = this.get(id)
    if (pool.live)
      throw new RequestError(errorCodes.wrongState, `The pool ${pool.name} still runs. Terminate it first.`)
    this.#forget(pool)
  }

  all(): HostedPool[] {
    return [...this.#pools.values()]
  }

  live(): HostedPool[] {
    return this.all().filter((pool) => pool.live)
  }

  headers(): PoolHeader[] {
    return this.all().map((pool) => pool.header())
  }

  #forget(pool: HostedPool): void {
    this.#pools.delete(pool.id)
    this.#state.removePool(pool.id)
    pool.dispose().catch(this.#onError)
  }
}
