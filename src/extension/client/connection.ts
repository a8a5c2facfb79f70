import type { Notifications, RequestMethod, Requests } from '../../protocol'
import type { Disposable, Event } from '../lifecycle'

export interface RequestOptions {
  /** Rejects with {@link HostTimeoutError} after this long. */
  readonly timeoutMs: number
}

/** An open connection to a host. It ends once: by {@link HostConnection.close}, or by itself, which fires `onDidClose`. */
export interface HostConnection {
  request<M extends RequestMethod>(method: M, params: Requests[M]['params'], options: RequestOptions): Promise<Requests[M]['result']>
  onNotification<M extends keyof Notifications>(method: M, listener: (params: Notifications[M]) => void): Disposable
  /** Fires once, only when the other side went away. */
  readonly onDidClose: Event<void>
  close(): Promise<void>
}

/** `existing` never starts anything; `start` starts a host when none runs. */
export type ConnectMode = 'existing' | 'start'

/** Opens a connection; undefined only in mode `existing`, when no host runs. */
export type OpenConnection = (mode: ConnectMode) => Promise<HostConnection | undefined>

/** The host took the request and did not answer in time. */
export class HostTimeoutError extends Error {
  override readonly name = 'HostTimeoutError'
  constructor(readonly method: string, readonly timeoutMs: number) {
    super(`The Unhang host did not answer “${method}” within ${timeoutMs / 1000} s. Look at the log, or end the host with “unhang host stop” and try again.`)
  }
}

/** There is no host to ask: it could not be started, or the connection was lost. */
export class HostUnavailableError extends Error {
  override readonly name = 'HostUnavailableError'
  constructor(reason: string, options?: ErrorOptions) {
    super(`The Unhang host cannot be reached: ${reason}`, options)
  }
}

/** Code runs only in a trusted workspace; menus hide what this refuses. */
export class UntrustedWorkspaceError extends Error {
  override readonly name = 'UntrustedWorkspaceError'
  constructor() {
    super('This workspace is in Restricted Mode: Unhang starts and ends processes only in a trusted workspace. Trust it with “Workspaces: Manage Workspace Trust”.')
  }
}
