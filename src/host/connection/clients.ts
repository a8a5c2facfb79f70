import type { Socket } from 'node:net'
import type { ParamsOf, PolicyActed, ShutdownDone } from '../../protocol'
import { refusalOf } from './admission'
import { Client, type ClientHost } from './client'
import type { Asker } from './requestHandlers'

/** The services for every client, without the decision of {@link Clients} on whether there is room for one. */
export type ClientService = Omit<ClientHost, 'refusal' | 'ready' | 'gone'>

/** All connections, and the notifications that go to each of them. */
export class Clients {
  readonly #changed: () => void

  readonly #connected = new Set<Client>()

  /** @param changed Called when a client connects, disconnects, or wants other measurements. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Connections, including those before their handshake, which may be clients in a moment. */
  get size(): number {
    return this.#connected.size
  }

  /** Number of clients whose handshake is done. */
  get readyCount(): number {
    return [...this.#connected].filter(({ kind }) => kind !== 'unknown').length
  }

  /** Serves a new connection, or lets it do its handshake alone, to be answered with the reason why it is not served. */
  accept(socket: Socket, service: ClientService): void {
    const { log } = service
    const refusal = this.#makeRoom()
    if (refusal !== undefined) log.warn('A client is turned away.', { refusal })
    const client = new Client(socket, {
      ...service,
      refusal,
      ready: ({ kind }) => {
        log.info('A client is there.', { client: kind, clients: this.readyCount })
      },
      gone: () => {
        if (this.#connected.delete(client)) this.#changed()
        log.info('A client is gone.', { client: client.kind, clients: this.readyCount })
      },
    })
    this.#connected.add(client)
    this.#changed()
    // The new connection included: it occupies a descriptor until it gets its refusal.
    if (refusal !== undefined) for (const other of this.#connected) other.hurry()
  }

  /** Ends connections that have sent nothing, if there is no room otherwise. @returns why there is none even so */
  #makeRoom(): string | undefined {
    if (refusalOf(this.size) === undefined) return undefined
    const silent = [...this.#connected].filter((client) => client.isSilent)
    for (const client of silent) client.drop()
    // They leave the list once their sockets have closed.
    return refusalOf(this.size - silent.length)
  }

  /** Sets what a client wants measured. */
  measure(client: Asker, wanted: ParamsOf<'unhang/watch'>): void {
    client.wanted = wanted
    this.#changed()
  }

  /** The measurements that clients want; none from a client that wants none. */
  wanted(): ParamsOf<'unhang/watch'>[] {
    return [...this.#connected].flatMap(({ wanted }) => (wanted && (wanted.workers || wanted.machine) ? wanted : []))
  }

  notifyChanged(rev: number): void {
    for (const client of this.#connected) {
      client.notifyChanged(rev)
      client.poolsChanged()
    }
  }

  notifyShutdown(params: ShutdownDone): void {
    for (const client of this.#connected) client.send('unhang/shutdownDone', params)
  }

  notifyPolicy(params: PolicyActed): void {
    for (const client of this.#connected) client.send('unhang/policyActed', params)
  }

  /** Sends the rest of a pool's output, so that it arrives before the news of the pool's end. */
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
