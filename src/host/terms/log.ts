import { basename, dirname } from 'node:path'
import { createStream, type RotatingFileStream } from 'rotating-file-stream'

export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** A log; `details` is appended to the message as JSON. */
export interface Log {
  error(message: string, details?: unknown): void
  warn(message: string, details?: unknown): void
  info(message: string, details?: unknown): void
  debug(message: string, details?: unknown): void
}

export interface HostLogOptions {
  readonly level: LogLevel
  /** A file is put aside at this size. Default 1M: a day of a busy workspace, still opened at once by an editor. */
  readonly size?: `${number}${'B' | 'K' | 'M'}`
  /** How many old files are kept. */
  readonly keep?: number
}

/** The host's log file: one line a fact, ISO time first, rotated by size. Writing to it never throws. */
export class HostLog implements Log {
  readonly #stream: RotatingFileStream
  readonly #level: number

  constructor(
    readonly file: string,
    options: HostLogOptions,
  ) {
    this.#level = logLevels.indexOf(options.level)
    this.#stream = createStream(basename(file), {
      path: dirname(file),
      size: options.size ?? '1M',
      rotate: options.keep ?? 3,
      mode: 0o600,
    })
    // A full disk costs the log, not the pools.
    this.#stream.on('error', () => undefined)
    this.#stream.on('warning', () => undefined)
  }

  error(message: string, details?: unknown): void {
    this.#write('error', message, details)
  }
  warn(message: string, details?: unknown): void {
    this.#write('warn', message, details)
  }
  info(message: string, details?: unknown): void {
    this.#write('info', message, details)
  }
  debug(message: string, details?: unknown): void {
    this.#write('debug', message, details)
  }

  /** Writes out what is still buffered. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stream.once('close', resolve)
      this.#stream.once('error', () => {
        resolve()
      })
      this.#stream.end(() => {
        resolve()
      })
    })
  }

  #write(level: LogLevel, message: string, details: unknown): void {
    if (logLevels.indexOf(level) > this.#level || this.#stream.writableEnded) return
    this.#stream.write(`${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${shown(details)}\n`)
  }
}

/** The level in UNHANG_LOG_LEVEL, `info` when it is none. */
export function logLevelOf(env: NodeJS.ProcessEnv): LogLevel {
  return logLevels.find((level) => level === env.UNHANG_LOG_LEVEL) ?? 'info'
}

function shown(details: unknown): string {
  if (details === undefined) return ''
  if (details instanceof Error) return ` ${details.stack ?? details.message}`
  try {
    return ` ${JSON.stringify(details)}`
  } catch {
    return ' (details that JSON cannot hold)'
  }
}
