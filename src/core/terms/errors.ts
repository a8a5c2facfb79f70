import { exitInWords } from '../../diagnosis'
import type { CommandResult, PoolState } from './types'

/** An option of a pool that cannot be used; `option` is its key. A TypeError, as for any wrong argument. */
export class PoolOptionError extends TypeError {
  override readonly name = 'PoolOptionError'
  constructor(
    readonly option: string,
    message: string,
  ) {
    super(`${option}: ${message}`)
  }
}

/** The pool is not in a state that allows this (closed, terminated, still running). */
export class PoolStateError extends Error {
  override readonly name: string = 'PoolStateError'
  constructor(
    message: string,
    readonly poolId: string,
    readonly state: PoolState,
  ) {
    super(message)
  }
}

/** The pool ended because its workers die before they can take a task; `exits` as shown (`exit 1`). */
export class PoolFailedError extends PoolStateError {
  override readonly name = 'PoolFailedError'
  constructor(
    message: string,
    poolId: string,
    readonly exits: readonly string[],
    readonly stderrTail: string,
    options?: ErrorOptions,
  ) {
    super(message, poolId, 'terminate')
    if (options?.cause !== undefined) this.cause = options.cause
  }
}

/** `get({ timeoutMs })` waited long enough; the task itself goes on (CPython's multiprocessing.TimeoutError). */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
  constructor(
    readonly timeoutMs: number,
    readonly taskIds: readonly string[],
  ) {
    super(`no result within ${timeoutMs} ms; the task goes on (cancel() ends it)`)
  }
}

/** `successful()` was asked before there was anything to tell. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError'
  constructor(readonly taskIds: readonly string[]) {
    super(`${taskIds.join(', ')} has not ended yet; ask ready() first`)
  }
}

/** The worker ended with the task in flight. `exitCode` and `signal` are those of the process; one of them is null. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError'
  readonly pid: number
  readonly worker: string
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly taskId: string
  /** For commands: what was printed until then. */
  readonly result: CommandResult | undefined
  constructor(facts: {
    pid: number
    worker: string
    exitCode: number | null
    signal: NodeJS.Signals | null
    taskId: string
    label: string
    because?: string | undefined
    result?: CommandResult | undefined
    cause?: unknown
  }) {
    const { because, cause } = facts
    super(
      `${facts.worker} (pid ${facts.pid}) ended with ${exitInWords(facts.exitCode, facts.signal)} before ` +
        `${facts.label} was done${because === undefined ? '' : `: ${because}`}`,
      cause === undefined ? undefined : { cause },
    )
    this.pid = facts.pid
    this.worker = facts.worker
    this.exitCode = facts.exitCode
    this.signal = facts.signal
    this.taskId = facts.taskId
    this.result = facts.result
  }
}

/** The task was cancelled, or its pool was terminated before it began. */
export class TaskCancelledError extends Error {
  override readonly name = 'TaskCancelledError'
  constructor(
    readonly taskId: string,
    label: string,
    readonly reason: string,
  ) {
    super(`${label} was cancelled: ${reason}`)
  }
}

/** The task ran longer than the pool's `timeoutMs`; its worker was killed. */
export class TaskTimeoutError extends Error {
  override readonly name = 'TaskTimeoutError'
  constructor(
    readonly taskId: string,
    label: string,
    readonly timeoutMs: number,
    readonly worker: string,
    readonly pid: number,
  ) {
    super(`${label} ran longer than timeoutMs (${timeoutMs} ms), so ${worker} (pid ${pid}) was killed`)
  }
}

/** A command ended with an exit code other than 0. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError'
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  constructor(
    readonly taskId: string,
    label: string,
    readonly result: CommandResult,
  ) {
    const lastLine = result.stderr.trim().split('\n').at(-1)?.trim() ?? ''
    super(`${label} ended with ${exitInWords(result.exitCode, result.signal)}${lastLine === '' ? '' : `: ${lastLine}`}`)
    this.exitCode = result.exitCode
    this.signal = result.signal
  }
}

/** A process could not be started; `code` is the system's (`ENOENT`, `EACCES`, `E2BIG`). */
export class StartError extends Error {
  override readonly name = 'StartError'
  constructor(
    message: string,
    readonly program: string,
    readonly code: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/**
 * An argument or a result cannot be sent to or from the worker (functions, symbols, promises, open handles; in Python
 * what JSON lacks).
 */
export class SerializationError extends Error {
  override readonly name = 'SerializationError'
  constructor(
    readonly taskId: string,
    label: string,
    readonly what: 'argument' | 'result',
    /** Where inside of it: `result.rows[3].save`, `arguments[0].callback`. */
    readonly path: string,
    /** What the clone algorithm, or Python, said. */
    readonly detail: string,
  ) {
    super(
      what === 'argument'
        ? `the arguments of ${label} cannot be sent to a worker: ${path}: ${sentence(detail)} Pass plain data.`
        : `${label} returned something that cannot be sent back: ${path}: ${sentence(detail)} Return plain data.`,
    )
  }
}

/** The pool's queue is full (`maxQueued`); `await pool.room()` tells when it is not. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  constructor(
    readonly poolId: string,
    name: string,
    readonly maxQueued: number,
  ) {
    super(
      `${name} has ${maxQueued} tasks waiting, which is its limit (maxQueued): wait for room() before handing in more`,
    )
  }
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`
}
