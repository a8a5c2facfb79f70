import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type * as z from 'zod'
import { sameToken } from '../../terms/sameToken'
import { answerSchema, eventSchema, helloSchema, type Hello } from './observerMessages'

/** The observer is an ordinary thread of the program: it answers in a millisecond, or something holds the GIL. */
const answerTimeoutMs = 1000
/** One that does not say who it is by then is none of ours. */
const helloTimeoutMs = 5000
/** A snapshot of 4096 busy workers is some 500 KB. */
const longestLine = 16 * 1024 * 1024

/** The observer does not answer, or said that it cannot. */
export class ObserverError extends Error {
  override readonly name = 'ObserverError'
}

export interface ObserverLinkHooks {
  /** It has proven who it is. */
  ready(link: ObserverLink, hello: Hello): void
  changed(): void
  failed(message: string, hello: Hello): void
  gone(link: ObserverLink): void
  /** What it sent made no sense; the connection is ended. */
  refused(why: string): void
}

/**
 * The connection to the observer in one parent process. Whatever comes over it is checked; nothing that it does or
 * leaves undone holds the host up.
 */
export class ObserverLink {
  readonly #socket: Socket
  readonly #token: string
  readonly #hooks: ObserverLinkHooks

  #hello: Hello | undefined
  #nextId = 1
  readonly #waiting = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: ObserverError) => void; timer: NodeJS.Timeout }
  >()
  readonly #helloTimer: NodeJS.Timeout

  constructor(socket: Socket, token: string, hooks: ObserverLinkHooks) {
    this.#socket = socket
    this.#token = token
    this.#hooks = hooks

    socket.on('error', () => {
      socket.destroy()
    })
    socket.once('close', () => {
      this.#closed()
    })
    this.#helloTimer = setTimeout(() => {
      this.#refuse('nothing that makes sense in time')
    }, helloTimeoutMs)
    // Lines that never end would be gathered for ever.
    let unended = 0
    socket.on('data', (chunk: Buffer) => {
      unended = chunk.includes(0x0a) ? 0 : unended + chunk.length
      if (unended > longestLine) this.#refuse('a line without an end')
    })
    createInterface({ input: socket, crlfDelay: Infinity })
      .on('line', (line) => {
        this.#line(line)
      })
      .on('error', () => {
        socket.destroy()
      })
  }

  get hello(): Hello | undefined {
    return this.#hello
  }

  get connected(): boolean {
    return this.#hello !== undefined && !this.#socket.destroyed
  }

  /**
   * Asks, and checks the answer.
   * @throws {@link ObserverError} when there is none in time (the program holds the GIL, is stopped, or has ended), or
   * it is an error.
   */
  async ask<T>(
    method: string,
    params: Readonly<Record<string, unknown>>,
    schema: z.ZodType<T>,
    timeoutMs: number = answerTimeoutMs,
  ): Promise<T> {
    if (!this.connected) throw new ObserverError('its observer is not connected')
    const id = this.#nextId++
    const result = await new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(
          new ObserverError(
            `its observer did not answer within ${timeoutMs} ms: it is stopped, or holds the interpreter's lock ` +
              '(GIL) in C code',
          ),
        )
      }, timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#socket.write(`${JSON.stringify({ id, method, ...params })}\n`)
    })
    const checked = schema.safeParse(result)
    if (!checked.success)
      throw new ObserverError(
        `its observer answered ${method} with something else: ${checked.error.issues[0]?.path.join('.') ?? ''} ` +
          (checked.error.issues[0]?.message ?? ''),
      )
    return checked.data
  }

  end(): void {
    this.#socket.destroy()
  }

  #line(line: string): void {
    if (line === '' || this.#socket.destroyed) return
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      this.#refuse('a line that is not JSON')
      return
    }
    if (this.#hello === undefined) {
      this.#greet(message)
      return
    }
    const answer = answerSchema.safeParse(message)
    if (answer.success) {
      this.#answered(answer.data)
      return
    }
    const event = eventSchema.safeParse(message)
    if (!event.success) this.#refuse('a message that is neither an answer nor an event')
    else if (event.data.event === 'changed') this.#hooks.changed()
    else this.#hooks.failed(event.data.message ?? 'unknown', this.#hello)
  }

  #greet(message: unknown): void {
    const hello = helloSchema.safeParse((message as { hello?: unknown } | null)?.hello)
    if (!hello.success || !sameToken(hello.data.token, this.#token)) {
      this.#refuse('no valid hello')
      return
    }
    clearTimeout(this.#helloTimer)
    this.#hello = hello.data
    this.#hooks.ready(this, hello.data)
  }

  #answered({ id, result, error }: z.infer<typeof answerSchema>): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (error === undefined) waiting.resolve(result)
    else waiting.reject(new ObserverError(error))
  }

  #refuse(why: string): void {
    if (!this.#socket.destroyed) this.#hooks.refused(why)
    this.#socket.destroy()
  }

  #closed(): void {
    clearTimeout(this.#helloTimer)
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new ObserverError('its observer has gone'))
    }
    this.#waiting.clear()
    this.#hooks.gone(this)
  }
}
