import { afterEach, describe, expect, test } from 'vitest'
import type { LogOutputChannel, WorkspaceFolder } from 'vscode'
import {
  UntrustedWorkspaceError,
  type ConnectMode,
  type HostConnection,
  type HostProcess,
} from '../../../src/extension/client/connection'
import { FolderSession } from '../../../src/extension/client/folderSession'
import { Emitter } from '../../../src/extension/lifecycle'
import { full, pool, worker } from './samples'

const silent = { warn: () => undefined, info: () => undefined, error: () => undefined } as unknown as LogOutputChannel
const folder = { name: 'demo' } as WorkspaceFolder

const noProcess: HostProcess = { look: () => Promise.resolve(undefined), end: () => Promise.resolve('gone') }

/** Answers as a host with one pool, and remembers what it was asked. */
class OnePoolHost implements HostConnection {
  readonly asked: { method: string; params: unknown }[] = []
  readonly #closed = new Emitter<void>()
  readonly onDidClose = this.#closed.event
  onNotification = () => ({ dispose: () => undefined })
  close = () => Promise.resolve()

  request(method: string, params: unknown): Promise<never> {
    this.asked.push({ method, params })
    const answer = method === 'unhang/snapshot' ? full([pool({ workers: [worker()] })]) : null
    return Promise.resolve(answer as never)
  }

  dies(): void {
    this.#closed.fire()
  }
}

describe('FolderSession', () => {
  let session: FolderSession
  const opened: ConnectMode[] = []
  const open = (host: OnePoolHost | undefined, isTrusted = true): FolderSession => {
    opened.length = 0
    session = new FolderSession({
      folder,
      log: silent,
      isTrusted: () => isTrusted,
      leftLedger: () => Promise.resolve(true),
      hostProcess: noProcess,
      open: (mode) => {
        opened.push(mode)
        return Promise.resolve(host)
      },
    })
    return session
  }
  afterEach(() => {
    session.dispose()
  })

  test('in an untrusted workspace contacts and starts no host, whoever asks', async () => {
    open(new OnePoolHost(), false)
    await expect(session.request('unhang/launchPool', { label: 'x' })).rejects.toThrow(UntrustedWorkspaceError)
    await expect(session.connect('existing')).rejects.toThrow(UntrustedWorkspaceError)
    expect(opened).toEqual([])
  })

  test('has the host’s pools as soon as it is connected', async () => {
    open(new OnePoolHost())
    expect(await session.connect('existing')).toBe(true)
    expect(session.store.pools.map(({ header }) => header.name)).toEqual(['Crawl'])
  })

  test('starts a host for a request, and none to look', async () => {
    open(undefined)
    expect(await session.connect('existing')).toBe(false)
    expect(opened).toEqual(['existing'])
    await expect(session.request('unhang/hostStatus', {})).rejects.toThrow('cannot be reached')
    expect(opened).toEqual(['existing', 'start'])
  })

  test('asks nothing of a host that it is not connected to when it need not', async () => {
    open(new OnePoolHost())
    expect(await session.requestIfConnected('unhang/hostStatus', {})).toBeUndefined()
    expect(opened).toEqual([])
  })

  test('forgets the pools of a host that died, and says so', async () => {
    const host = new OnePoolHost()
    open(host)
    await session.connect('existing')
    let lost = 0
    session.onDidLoseHost(() => lost++)
    host.dies()
    expect([session.store.pools, lost]).toEqual([[], 1])
  })

  test('tells a host what to measure only while somebody looks, and once', async () => {
    const host = new OnePoolHost()
    open(host)
    session.setWatch({ workers: true, machine: false, intervalMs: 1000 })
    await session.connect('existing')
    session.setWatch({ workers: true, machine: false, intervalMs: 1000 })
    session.setWatch({ workers: false, machine: false, intervalMs: 1000 })
    expect(host.asked.filter(({ method }) => method === 'unhang/watch').map(({ params }) => params)).toEqual([
      { workers: true, machine: false, intervalMs: 1000 },
      { workers: false, machine: false, intervalMs: 1000 },
    ])
  })
})
