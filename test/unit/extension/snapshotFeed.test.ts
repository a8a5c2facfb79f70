import { describe, expect, test } from 'vitest'
import type { HostConnection } from '../../../src/extension/client/connection'
import { SnapshotFeed } from '../../../src/extension/client/snapshotFeed'
import { PoolStore } from '../../../src/extension/model/poolStore'
import type { Snapshot } from '../../../src/protocol'
import { full, pool } from './samples'

/** Answers snapshot requests from a script and announces revisions. */
class ScriptedHost {
  readonly asked: (number | undefined)[] = []
  readonly logged: string[] = []
  readonly answers: (Snapshot | Error)[] = []
  #announce: (params: { rev: number }) => void = () => undefined

  readonly connection = {
    request: (_method: string, params: { since?: number }) => {
      this.asked.push(params.since)
      const answer = this.answers.shift() ?? new Error('nothing more in the script')
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    onNotification: (_method: string, listener: (params: { rev: number }) => void) => {
      this.#announce = listener
      return {
        dispose: () => {
          this.#announce = () => undefined
        },
      }
    },
  } as unknown as HostConnection

  feed(store: PoolStore): SnapshotFeed {
    return new SnapshotFeed(this.connection, store, (message) => this.logged.push(message))
  }

  announce(rev: number): void {
    this.#announce({ rev })
  }
}

const delta = (since: number, rev: number): Snapshot => ({
  kind: 'delta',
  since,
  rev,
  pools: [],
  workers: [],
  removedPools: [],
  machine: null,
})

describe('SnapshotFeed', () => {
  test('starts with everything and goes on with what changed', async () => {
    const host = new ScriptedHost()
    const store = new PoolStore()
    const feed = host.feed(store)
    host.answers.push(full([pool()], 5), delta(5, 8))
    await feed.refresh()
    host.announce(8)
    await feed.refresh()
    expect(host.asked).toEqual([undefined, 5])
    expect(store.rev).toBe(8)
  })

  test('asks once more, and not more often, for what was announced while it asked', async () => {
    const host = new ScriptedHost()
    const store = new PoolStore()
    const feed = host.feed(store)
    host.answers.push(full([], 5), delta(5, 9))
    const running = feed.refresh()
    host.announce(7)
    host.announce(9)
    await running
    expect(host.asked).toEqual([undefined, 5])
    expect(store.rev).toBe(9)
  })

  test('asks for everything after a gap', async () => {
    const host = new ScriptedHost()
    const store = new PoolStore()
    const feed = host.feed(store)
    host.answers.push(full([], 5), delta(4, 6), full([pool()], 6))
    await feed.refresh()
    host.announce(6)
    await feed.refresh()
    expect(host.asked).toEqual([undefined, 5, undefined])
    expect(store.pools).toHaveLength(1)
  })

  test('asks a new host for everything, whatever revision the old one had', async () => {
    const store = new PoolStore()
    store.apply(full([pool()], 99))
    const host = new ScriptedHost()
    host.answers.push(full([], 3))
    await host.feed(store).refresh()
    expect(host.asked).toEqual([undefined])
    expect([store.rev, store.pools]).toEqual([3, []])
  })

  test('does not ask for ever when a host announces what it does not have', async () => {
    const host = new ScriptedHost()
    const store = new PoolStore()
    const feed = host.feed(store)
    host.answers.push(full([], 5), delta(5, 5))
    const running = feed.refresh()
    host.announce(1000)
    await running
    expect(host.asked).toEqual([undefined, 5])
  })

  test('logs a failure and tries again with the next change', async () => {
    const host = new ScriptedHost()
    const store = new PoolStore()
    const feed = host.feed(store)
    host.answers.push(new Error('busy'), full([pool()], 2))
    await feed.refresh()
    expect(host.logged).toEqual(['Reading the pools failed: busy'])
    host.announce(2)
    await feed.refresh()
    expect(store.pools).toHaveLength(1)
  })

  test('is silent once it is disposed', async () => {
    const host = new ScriptedHost()
    const store = new PoolStore()
    const feed = host.feed(store)
    host.answers.push(full([pool()], 1))
    const running = feed.refresh()
    feed.dispose()
    await running
    host.announce(2)
    expect([store.pools, host.asked.length]).toEqual([[], 1])
  })
})
