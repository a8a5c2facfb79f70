import type { HostEnd } from '../../discovery'
import type { Notifications, RequestMethod, ResultOf, ParamsOf } from '../../protocol'
import type { Disposable, Event } from '../lifecycle'

export interface RequestOptions {
  /** Rejects with {@link HostTimeoutError} after this long. */
  readonly timeoutMs: number
}

/**
 * An open connection to a host. It ends once: by {@link HostConnection.close}, or by itself, which fires `onDidClose`.
 */
export interface HostConnection {
  request<M extends RequestMethod>(method: M, params: ParamsOf<M>, options: RequestOptions): Promise<ResultOf<M>>
  onNotification<M extends keyof Notifications>(method: M, listener: (params: Notifications[M]) => void): Disposable
  /** Fires once, only when the other side went away. */
  readonly onDidClose: Event<void>
  close(): Promise<void>
}

/** `existing` never starts anything; `start` starts a host when none runs. */
export type ConnectMode = 'existing' | 'start'

/** Opens a connection; undefined only in mode `existing`, when no host runs. */
export type OpenConnection = (mode: ConnectMode) => Promise<HostConnection | undefined>

/** The process of a host that does not answer; `silent`: it is not stopped, and stands for a reason of its own. */
export interface HungHost {
  readonly pid: number
  /** With the pid the identity of the process (see src/processes). */
  readonly startTime: string
  readonly state: 'stopped' | 'silent'
}

/** The host took the connection and does not answer. */
export class HostHangsError extends Error {
  override readonly name = 'HostHangsError'
  constructor(
    message: string,
    readonly host: HungHost,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What can be done about the process of a host without asking it. */
export interface HostProcess {
  /** How it is; undefined when there is none. */
  look(): Promise<HungHost | undefined>
  /** Ends it by SIGKILL, once pid, start time and command line are proven. */
  end(host: HungHost): Promise<HostEnd>
}

/** The host took the request and did not answer in time. */
export class HostTimeoutError extends Error {
  override readonly name = 'HostTimeoutError'
  constructor(
    readonly method: string,
    readonly timeoutMs: number,
  ) {
    super(
      `The Unhang host did not answer “${method}” within ${timeoutMs / 1000} s. If it stays so, “Unhang: Restart ` +
        'Host” ends it and starts a new one; the log says more.',
    )
  }
}

/**
 * Whether an error is of that class. By its name, as the client is a bundle of its own (`dist/extension-client.js`)
 * with its own copy of these classes, of which `instanceof` knows nothing.
 */
export function isHostTimeout(error: unknown): error is HostTimeoutError {
  return error instanceof Error && error.name === 'HostTimeoutError'
}

/** As {@link isHostTimeout}. */
export function isHostHang(error: unknown): error is HostHangsError {
  return error instanceof Error && error.name === 'HostHangsError'
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
    super(
      'This workspace is in Restricted Mode: Unhang starts and ends processes only in a trusted workspace. Trust ' +
        'it with “Workspaces: Manage Workspace Trust”.',
    )
  }
}
