import { afterEach, describe, expect, test, vi } from 'vitest'
import type { LogOutputChannel, WorkspaceFolder } from 'vscode'
import {
  HostHangsError,
  HostTimeoutError,
  type HostConnection,
  type HostProcess,
  type HungHost,
} from '../../../src/extension/client/connection'
import { FolderSession } from '../../../src/extension/client/folderSession'
import { HostWatchdog } from '../../../src/extension/client/hostWatchdog'
import type { Sessions } from '../../../src/extension/client/sessions'
import { restartHost, restartHosts } from '../../../src/extension/commands/restartHost'
import { Emitter } from '../../../src/extension/lifecycle'
import { HungHostNotifier } from '../../../src/extension/notify/hungHostNotifier'
import type { Confirmation, Prompts } from '../../../src/extension/prompts/prompts'
import { full, pool } from './samples'

const silentLog = {
  warn: () => undefined,
  info: () => undefined,
  error: () => undefined,
} as unknown as LogOutputChannel
const hung: HungHost = { pid: 4711, startTime: 's1', state: 'stopped' }

/** A host that can be made deaf, and hears again. */
class DeafHost implements HostConnection {
  deaf = false
  readonly asked: string[] = []
  readonly #closed = new Emitter<void>()
  #late: (() => void)[] = []
  readonly onDidClose = this.#closed.event
  onNotification = () => ({ dispose: () => undefined })
  close = () => Promise.resolve()

  request(method: string, _params: unknown, { timeoutMs }: { timeoutMs: number }): Promise<never> {
    this.asked.push(method)
    if (!this.deaf) return Promise.resolve((method === 'unhang/snapshot' ? full([pool()]) : null) as never)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new HostTimeoutError(method, timeoutMs))
      }, timeoutMs)
      this.#late.push(() => {
        clearTimeout(timer)
        resolve(null as never)
      })
    })
  }

  hearAgain(): void {
    this.deaf = false
    for (const answer of this.#late.splice(0)) answer()
  }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('HostWatchdog', () => {
  const watch = (host: DeafHost, look: () => HungHost | undefined) => {
    const told: (HungHost | 'heard')[] = []
    const watchdog = new HostWatchdog({
      connection: host,
      look: () => Promise.resolve(look()),
      log: () => undefined,
      onHung: (process) => {
        told.push(process)
      },
      onHeard: () => {
        told.push('heard')
      },
    })
    return { told, watchdog }
  }

  test('says nothing of a host that answers', async () => {
    vi.useFakeTimers()
    const { told, watchdog } = watch(new DeafHost(), () => hung)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([])
    watchdog.dispose()
  })

  test(
    'tells of a stopped host after the first sign of life that does not come, and when it ' + 'answers again',
    async () => {
      vi.useFakeTimers()
      const host = new DeafHost()
      const { told, watchdog } = watch(host, () => hung)
      host.deaf = true
      await vi.advanceTimersByTimeAsync(5_000 + 2_000)
      expect(told).toEqual([hung])
      await vi.advanceTimersByTimeAsync(60_000)
      expect(told).toEqual([hung])
      host.hearAgain()
      await vi.advanceTimersByTimeAsync(1)
      expect(told).toEqual([hung, 'heard'])
      watchdog.dispose()
    },
  )

  test('tells of a host that is not stopped only when a second sign of life does not come either', async () => {
    vi.useFakeTimers()
    const host = new DeafHost()
    const { told, watchdog } = watch(host, () => ({ ...hung, state: 'silent' }))
    host.deaf = true
    await vi.advanceTimersByTimeAsync(5_000 + 2_500)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(told).toEqual([{ ...hung, state: 'silent' }])
    watchdog.dispose()
  })

  test('says nothing of a host that is gone: that its connection is lost is told by others', async () => {
    vi.useFakeTimers()
    const host = new DeafHost()
    const { told, watchdog } = watch(host, () => undefined)
    host.deaf = true
    await vi.advanceTimersByTimeAsync(30_000)
    expect(told).toEqual([])
    watchdog.dispose()
  })
})

/** A session whose host is deaf from the start, until it is ended. */
function sessionOf(hostProcess: Partial<HostProcess> = {}) {
  const killed: HungHost[] = []
  let isHung = true
  const session = new FolderSession({
    folder: { name: 'demo' } as WorkspaceFolder,
    log: silentLog,
    isTrusted: () => true,
    leftLedger: () => Promise.resolve(false),
    open: () =>
      isHung ? Promise.reject(new HostHangsError('It does not answer.', hung)) : Promise.resolve(new DeafHost()),
    hostProcess: {
      look: () => Promise.resolve(hung),
      end: (host) => {
        killed.push(host)
        isHung = false
        return Promise.resolve('killed')
      },
      ...hostProcess,
    },
  })
  const changed = new Emitter<FolderSession>()
  session.onDidChangeHung(() => {
    changed.fire(session)
  })
  const sessions = { all: [session], onDidChangeHung: changed.event } as unknown as Sessions
  return { session, sessions, killed }
}

/** A person who answers every notification and every question alike. */
function person(yes: boolean, chooses?: string) {
  const confirmations: Confirmation[] = []
  const notifications: string[] = []
  const prompts = {
    confirm: (confirmation: Confirmation) => {
      confirmations.push(confirmation)
      return Promise.resolve(yes)
    },
    notify: (_severity: string, message: string) => {
      notifications.push(message)
      return Promise.resolve(chooses)
    },
  } as unknown as Prompts
  return { prompts: () => prompts, confirmations, notifications }
}

describe('Restart Host', () => {
  test('ends a host that does not answer after a yes, and connects to a new one', async () => {
    const { session, sessions, killed } = sessionOf()
    const { prompts, confirmations } = person(true)
    await restartHost(session, { sessions, prompts })
    expect(killed).toEqual([hung])
    expect(confirmations[0]?.detail).toContain('4711 is stopped')
    expect([session.state, session.hung]).toEqual(['connected', undefined])
    session.dispose()
  })

  test('ends nothing after a no', async () => {
    const { session, sessions, killed } = sessionOf()
    await restartHost(session, { sessions, ...person(false) })
    expect([killed, session.state]).toEqual([[], 'failed'])
    session.dispose()
  })

  test('says that nothing was sent when the process turns out to be another one', async () => {
    const { session, sessions } = sessionOf({ end: () => Promise.resolve('other') })
    await expect(restartHosts({ sessions, ...person(true) })).rejects.toThrow(
      '4711 is not the host of demo any more, so nothing was sent',
    )
    session.dispose()
  })
})

describe('HungHostNotifier', () => {
  const notifierOf = (sessions: Sessions, prompts: () => Prompts) => {
    const shown: (string | undefined)[] = []
    return {
      shown,
      notifier: new HungHostNotifier({
        sessions,
        prompts,
        show: (message) => {
          shown.push(message)
        },
        showLog: () => undefined,
        onError: (error) => {
          throw error
        },
      }),
    }
  }

  test('shows a host that does not answer and tells of it once, however often it is found', async () => {
    const { session, sessions, killed } = sessionOf()
    const { prompts, notifications } = person(true)
    const { shown, notifier } = notifierOf(sessions, prompts)
    for (let attempt = 0; attempt < 3; attempt++) await session.connect('start').catch(() => undefined)
    expect(notifications).toEqual([
      'The host of demo (pid 4711) is stopped and does not answer: its pools cannot be seen or ended.',
    ])
    expect(shown).toEqual(notifications)
    expect(killed).toEqual([])
    notifier.dispose()
    session.dispose()
  })

  test('restarts it when that is chosen and confirmed, and takes the message away', async () => {
    const { session, sessions, killed } = sessionOf()
    const { prompts, confirmations } = person(true, 'Restart Host')
    const { shown, notifier } = notifierOf(sessions, prompts)
    await session.connect('start').catch(() => undefined)
    await vi.waitFor(() => {
      expect(session.state).toBe('connected')
    })
    expect([killed, confirmations.length, shown.at(-1)]).toEqual([[hung], 1, undefined])
    notifier.dispose()
    session.dispose()
  })
})
