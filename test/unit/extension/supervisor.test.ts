import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConnectMode, HostConnection } from '../../../src/extension/client/connection'
import { ConnectionSupervisor, reconnectDelaysMs, type SupervisorState } from '../../../src/extension/client/supervisor'
import { Emitter } from '../../../src/extension/lifecycle'

/** A connection in memory: what is tested here is when connections are opened, not what goes over them. */
class MemoryConnection implements HostConnection {
  readonly #closed = new Emitter<void>()
  readonly onDidClose = this.#closed.event
  closedByUs = false
  request = () => Promise.reject(new Error('not asked here'))
  onNotification = () => ({ dispose: () => undefined })
  close(): Promise<void> {
    this.closedByUs = true
    return Promise.resolve()
  }

  breaks(): void {
    this.#closed.fire()
  }
}

describe('ConnectionSupervisor', () => {
  let attempts: ConnectMode[]
  let answer: (mode: ConnectMode) => Promise<MemoryConnection | undefined>
  let modeAfterLoss: ConnectMode
  let supervisor: ConnectionSupervisor
  let states: SupervisorState[]
  let givenUp: Error[]

  beforeEach(() => {
    vi.useFakeTimers()
    attempts = []
    states = []
    givenUp = []
    modeAfterLoss = 'start'
    answer = () => Promise.resolve(new MemoryConnection())
    supervisor = new ConnectionSupervisor({
      open: (mode) => {
        attempts.push(mode)
        return answer(mode)
      },
      modeAfterLoss: () => Promise.resolve(modeAfterLoss),
      log: () => undefined,
    })
    supervisor.onDidChangeState((state) => states.push(state))
    supervisor.onDidGiveUp((error) => givenUp.push(error))
  })
  afterEach(() => {
    supervisor.dispose()
    vi.useRealTimers()
  })

  test('opens one connection for everybody who asks at once', async () => {
    const [first, second] = await Promise.all([supervisor.connect('start'), supervisor.connect('start')])
    expect(first).toBe(second)
    expect(attempts).toEqual(['start'])
    expect(states).toEqual(['connecting', 'connected'])
  })

  test('starts nothing when it is only to look', async () => {
    answer = () => Promise.resolve(undefined)
    expect(await supervisor.connect('existing')).toBeUndefined()
    expect(supervisor.state).toBe('none')
  })

  test('does start a host for a request that comes while it only looks', async () => {
    answer = (mode) => Promise.resolve(mode === 'start' ? new MemoryConnection() : undefined)
    const [looked, started] = await Promise.all([supervisor.connect('existing'), supervisor.connect('start')])
    expect(looked).toBeUndefined()
    expect(started).toBeDefined()
    expect(attempts).toEqual(['existing', 'start'])
  })

  test('tells the one who asked when no host can be started, and tries again when asked again', async () => {
    answer = () => Promise.reject(new Error('no node'))
    await expect(supervisor.connect('start')).rejects.toThrow('no node')
    expect(supervisor.state).toBe('failed')
    expect(givenUp).toEqual([])
    answer = () => Promise.resolve(new MemoryConnection())
    await supervisor.connect('start')
    expect(supervisor.state).toBe('connected')
  })

  test('connects again after a loss, in the mode that the loss calls for', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    modeAfterLoss = 'existing'
    connection.breaks()
    expect(supervisor.state).toBe('connecting')
    await vi.advanceTimersByTimeAsync(reconnectDelaysMs[0]!)
    expect(attempts).toEqual(['start', 'existing'])
    expect(supervisor.state).toBe('connected')
  })

  test('waits longer each time, and says that it failed only after the last attempt', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    answer = () => Promise.reject(new Error('gone for good'))
    connection.breaks()
    for (const [index, delay] of reconnectDelaysMs.entries()) {
      expect(givenUp).toEqual([])
      await vi.advanceTimersByTimeAsync(delay - 1)
      expect(attempts).toHaveLength(1 + index)
      await vi.advanceTimersByTimeAsync(1)
    }
    expect(attempts).toHaveLength(1 + reconnectDelaysMs.length)
    expect(givenUp.map(({ message }) => message)).toEqual(['gone for good'])
    expect(supervisor.state).toBe('failed')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(attempts).toHaveLength(1 + reconnectDelaysMs.length)
  })

  test('is content when the host is gone and nothing of it is missed', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    modeAfterLoss = 'existing'
    answer = () => Promise.resolve(undefined)
    connection.breaks()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(supervisor.state).toBe('none')
    expect(attempts).toEqual(['start', 'existing'])
  })

  test('takes a request as a reason not to wait any longer', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    connection.breaks()
    await supervisor.connect('start')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(attempts).toEqual(['start', 'start'])
  })

  test('goes on with its attempts after a request that failed meanwhile', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    answer = () => Promise.reject(new Error('not yet'))
    connection.breaks()
    await expect(supervisor.connect('start')).rejects.toThrow('not yet')
    expect(supervisor.state).toBe('connecting')
    answer = () => Promise.resolve(new MemoryConnection())
    await vi.advanceTimersByTimeAsync(reconnectDelaysMs[0]!)
    expect(supervisor.state).toBe('connected')
    expect(attempts).toEqual(['start', 'start', 'start'])
  })

  test('still gives up after the last attempt when requests fail in between', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    answer = () => Promise.reject(new Error('gone for good'))
    connection.breaks()
    for (const delay of reconnectDelaysMs) {
      await expect(supervisor.connect('start')).rejects.toThrow()
      await vi.advanceTimersByTimeAsync(delay)
    }
    expect(givenUp).toHaveLength(1)
    expect(supervisor.state).toBe('failed')
  })

  test('closes what it opened, even if it was still opening', async () => {
    let opened: (connection: MemoryConnection) => void = () => undefined
    answer = () =>
      new Promise((resolve) => {
        opened = resolve
      })
    const connecting = supervisor.connect('start')
    const closing = supervisor.close()
    const late = new MemoryConnection()
    opened(late)
    await Promise.all([connecting, closing])
    expect(late.closedByUs).toBe(true)
    await expect(supervisor.connect('start')).rejects.toThrow('shutting down')
  })

  test('does not come back after it was closed', async () => {
    const connection = (await supervisor.connect('start')) as MemoryConnection
    await supervisor.close()
    connection.breaks()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(attempts).toEqual(['start'])
  })
})
