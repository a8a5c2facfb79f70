import type { Client } from './client'
import type { Asker } from './requestHandlers'
import type { ShutdownDone, PolicyActed, ParamsOf } from '../../protocol'

/** Everybody who is connected, and what is told to all of them. */
export class Clients {
  readonly #changed: () => void

  readonly #connected = new Set<Client>()

  /** @param changed Somebody came, went, or wants something else measured. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Connections, also those that have not said who they are: they may be about to. */
  get size(): number {
    return this.#connected.size
  }

  /** Those whose handshake is done. */
  get readyCount(): number {
    return [...this.#connected].filter(({ kind }) => kind !== 'unknown').length
  }

  add(client: Client): void {
    this.#connected.add(client)
    this.#changed()
  }

  remove(client: Client): void {
    if (this.#connected.delete(client)) this.#changed()
  }

  /** Ends connections that say nothing; they are gone in a moment. @returns how many */
  dropSilent(): number {
    const silent = [...this.#connected].filter((client) => client.isSilent)
    for (const client of silent) client.drop()
    return silent.length
  }

  /** There is no room for all: what has been opened and said nothing gets less time for it. */
  hurry(): void {
    for (const client of this.#connected) client.hurry()
  }

  watch(client: Asker, params: ParamsOf<'unhang/watch'>): void {
    client.watching = params
    this.#changed()
  }

  /** What is to be measured, for anybody. */
  wishes(): ParamsOf<'unhang/watch'>[] {
    return [...this.#connected].flatMap(({ watching }) =>
      watching && (watching.workers || watching.machine) ? watching : [],
    )
  }

  tellChanged(rev: number): void {
    for (const client of this.#connected) {
      client.notifyChanged(rev)
      client.poolsChanged()
    }
  }

  tellShutdown(params: ShutdownDone): void {
    for (const client of this.#connected) client.send('unhang/shutdownDone', params)
  }

  tellPolicy(params: PolicyActed): void {
    for (const client of this.#connected) client.send('unhang/policyActed', params)
  }

  /** What the workers of a pool wrote comes before the news that they have ended. */
  flushOutput(poolId: string): void {
    for (const client of this.#connected) client.flushOutput(poolId)
  }

  unfollow(poolId: string): void {
    for (const client of this.#connected) client.unfollow(poolId)
  }

  end(): void {
    for (const client of this.#connected) client.end()
  }
}
