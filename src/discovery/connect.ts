import { spawn } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { connect as connectSocket, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpointOf, type Endpoint } from './endpoint'
import { readHostInfo, type HostInfo } from './hostInfo'
import { HostHungError, hungAfterMs, lookAtHost, type HostScript, patience } from './hungHost'
import { protocolVersion, type InitializationOptions } from '../protocol'
import { openRuntimeFile, readRuntimeText } from './runtimeFile'
import { ownPidNamespace } from './pidNamespace'

/** How to find the host of a workspace, and how to start it. */
export interface ConnectOptions {
  /** Workspace root. */
  readonly root: string
  /** Path of dist/host.js. */
  readonly hostScript: string
  /** Node (or Electron) executable that runs it. Default: this process's own. */
  readonly nodePath?: string | undefined
  /** Start a host when there is none; else {@link HostNotRunningError}. */
  readonly start: boolean
  readonly client: InitializationOptions['client']
  /** For everything together, default 10 s: a cold start of Node on a loaded machine takes a second or two. */
  readonly timeoutMs?: number | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly signal?: AbortSignal | undefined
}

/** A socket to a live host, before the handshake. */
export interface ConnectedHost {
  readonly socket: Socket
  /** Goes into the LSP `initialize` request. */
  readonly initializationOptions: InitializationOptions
  readonly info: HostInfo
  readonly endpoint: Endpoint
  /** How to inspect its process if it does not answer. */
  readonly script: HostScript
  /** True when this call started a host (it may still have been another starter's that answered). */
  readonly started: boolean
}

/** No host runs for this workspace, and none was to be started. */
export class HostNotRunningError extends Error {
  override readonly name = 'HostNotRunningError'
  constructor(readonly root: string) {
    super(`No Unhang host runs for ${root}. It is started by launching a pool, or by opening the folder in VS Code.`)
  }
}

/** The host could not be started or did not answer in time. */
export class HostStartError extends Error {
  override readonly name = 'HostStartError'
  constructor(
    readonly root: string,
    readonly why: string,
    readonly logFile: string,
  ) {
    super(`The Unhang host of ${root} did not start: ${why}. Its log is ${logFile}.`)
  }
}

/** A host of another version runs, with another version of the protocol. */
export class HostVersionError extends Error {
  override readonly name = 'HostVersionError'
  constructor(readonly info: HostInfo) {
    super(
      `The Unhang host that runs (pid ${info.pid}, version ${info.version}) speaks protocol ` +
        `${info.protocolVersion}, this client ${protocolVersion}. ` +
        `Let its pools finish, end it with \`kill ${info.pid}\` (its pools are terminated), and try again.`,
    )
  }
}

/** A socket that takes this long to accept belongs to a host that is stopped or swamped. */
const connectTimeoutMs = 2000
/** First and longest pause between two attempts. */
const firstPauseMs = 20
const longestPauseMs = 250
/** A host that died on start is not started more often than this in one call. */
const maxStarts = 3

/**
 * Connects to the host of a workspace, and starts it first when there is none. Two callers at once end up with one
 * host: the host's own lock decides, the loser leaves, and both find the winner here.
 * @throws {@link HostNotRunningError}, {@link HostStartError}, {@link HostHungError}, {@link HostVersionError}, or what
 * {@link endpointOf} throws.
 */
export async function connectOrStart(options: ConnectOptions): Promise<ConnectedHost> {
  const env = options.env ?? process.env
  const endpoint = await endpointOf(options.root, env)
  const timeoutMs = options.timeoutMs ?? 10_000
  const script = {
    root: endpoint.root,
    hostScript: options.hostScript,
    nodePath: options.nodePath ?? process.execPath,
    env,
  }
  const deadline = performance.now() + timeoutMs
  let busySince: number | undefined
  let child: StartedHost | undefined
  let starts = 0
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    options.signal?.throwIfAborted()
    const info = await readHostInfo(endpoint)
    const lookedAt = performance.now()
    const socket = info
      ? await tryConnect(info.socketPath, Math.min(connectTimeoutMs, Math.max(1, deadline - performance.now())))
      : 'absent'
    if (info && socket instanceof Socket) {
      if (info.protocolVersion !== protocolVersion) {
        socket.destroy()
        throw new HostVersionError(info)
      }
      const pidNamespace = ownPidNamespace()
      const initializationOptions = {
        token: info.token,
        protocolVersion,
        client: options.client,
        ...(pidNamespace === undefined ? {} : { pidNamespace }),
      }
      return { socket, initializationOptions, info, endpoint, script, started: starts > 0 }
    }
    if (info && socket === 'busy') {
      busySince ??= lookedAt
      if (performance.now() - busySince >= hungAfterMs * patience())
        throw new HostHungError(endpoint.root, info, await lookAtHost(script).catch(() => undefined), hungAfterMs)
      await sleep(pauseMs)
      continue
    }
    busySince = undefined
    if (!options.start) throw new HostNotRunningError(endpoint.root)
    // Exit code 0: it found a live host, which has ended since.
    if (!child || (child.exitCode === 0 && starts < maxStarts)) {
      child = await startHost(endpoint, options, env)
      starts += 1
    }
    if (child.failure !== undefined) throw new HostStartError(endpoint.root, child.failure, endpoint.logFile)
    if (child.exitCode !== undefined && child.exitCode !== 0) {
      const words = child.reason !== '' ? child.reason : lastWords(await printed(endpoint))
      throw new HostStartError(
        endpoint.root,
        `it exited with ${child.exitCode}${words === '' ? '' : ` (${words})`}`,
        endpoint.logFile,
      )
    }
    if (performance.now() >= deadline) {
      throw new HostStartError(
        endpoint.root,
        info ? `pid ${info.pid} does not accept connections after ${timeoutMs} ms` : `no answer within ${timeoutMs} ms`,
        endpoint.logFile,
      )
    }
    await sleep(Math.min(pauseMs, Math.max(1, deadline - performance.now())))
  }
}

/**
 * The socket once it is open; `absent` when no process listens there, `busy` when one listens and accepts no
 * connection.
 */
function tryConnect(path: string, timeoutMs: number): Promise<Socket | 'absent' | 'busy'> {
  return new Promise((resolve) => {
    const socket = connectSocket(path)
    const timer = setTimeout(() => {
      give('busy')
    }, timeoutMs)
    const give = (result: Socket | 'absent' | 'busy'): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      if (!(result instanceof Socket)) {
        // An abandoned socket may still report an error, which would otherwise be uncaught.
        socket.on('error', () => undefined)
        socket.destroy()
      }
      resolve(result)
    }
    socket.once('connect', () => {
      give(socket)
    })
    // EAGAIN: connections that the host has not taken fill its queue.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      give(error.code === 'EAGAIN' ? 'busy' : 'absent')
    })
  })
}

/** The line with the error's message, without the stack below it. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => /^(?:\w*Error|Uncaught)\b/.test(line)) ?? lines[0] ?? '').trim()
}

/**
 * A worker may start a host (by `unhang pool`): without its mark, by which a shutdown finds what belongs to that
 * worker, or the host of other pools would end with it.
 */
function hostEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // Without the second an Electron executable opens a window; plain Node ignores it, and the host keeps it from its
  // workers.
  return { ...env, UNHANG_WORKER: undefined, ELECTRON_RUN_AS_NODE: '1' }
}

/** The stderr of a host that died on start. */
async function printed(endpoint: Endpoint): Promise<string> {
  const read = await readRuntimeText(endpoint.stderrFile)
  return read.kind === 'text' ? read.text : ''
}

/** The descriptor under which a host finds the pipe for the reason why it cannot start. */
export const reasonDescriptor = 3

interface StartedHost {
  exitCode: number | undefined
  failure: string | undefined
  /** The reason that the host itself gave for not starting; empty when it gave none. */
  reason: string
}

async function startHost(endpoint: Endpoint, options: ConnectOptions, env: NodeJS.ProcessEnv): Promise<StartedHost> {
  const nodePath = options.nodePath ?? process.execPath
  const state: StartedHost = { exitCode: undefined, failure: undefined, reason: '' }
  // Emptied: only the last start matters, so the file stays small. A host goes without it where there is no room for
  // it.
  const stderr: FileHandle | undefined = await openRuntimeFile(endpoint.stderrFile).catch(() => undefined)
  const printsTo = stderr?.fd ?? 'ignore'
  try {
    const child = spawn(
      nodePath,
      [options.hostScript, '--root', endpoint.root, '--reason-to', String(reasonDescriptor)],
      {
        // Not the workspace: a running host must not keep a folder from being removed or unmounted.
        cwd: endpoint.directory,
        detached: true,
        windowsHide: true,
        // The reason comes by a pipe: it may be that no file can be written.
        stdio: ['ignore', printsTo, printsTo, 'pipe'],
        env: hostEnvironment(env),
      },
    )
    child.on('error', (error) => {
      state.failure = `${nodePath} could not be run (${error.message})${/ E[MN]FILE\b/.test(error.message) ? ': this command may open no more files than its limit allows (ulimit -n)' : ''}`
    })
    // `close`, not `exit`: at its exit its last output may be unread.
    child.on('close', (code, signal) => {
      state.exitCode = code ?? (signal === null ? 1 : 128)
    })
    child.unref()
    // Undefined where no descriptor was left for the pipe, although the types exclude it.
    const reason = (child.stdio as typeof child.stdio | undefined)?.[reasonDescriptor]
    if (reason instanceof Socket) {
      reason.setEncoding('utf8').on('data', (text: string) => {
        state.reason = `${state.reason}${text}`.slice(0, longestReason).trimEnd()
      })
      reason.on('error', () => undefined)
      reason.unref()
    }
  } finally {
    await stderr?.close()
  }
  return state
}

/** One line that a person reads. */
const longestReason = 2000
