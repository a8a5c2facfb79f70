import { checkChunkSize } from '../tasks/map'
import type { MapOptions } from '../tasks/map'
import { taskDone, taskFailed } from '../tasks/task'
import type { Task, TaskOwner } from '../tasks/task'

/** What an imap needs of its pool. */
export interface ImapContext {
  /** How many chunks may be on their way or waiting to be read. */
  window(): number
  /** The pool is closed: it reads on whether somebody takes the results or not. */
  closing(): boolean
  /** Hands in a chunk. @throws when the pool takes no more tasks */
  handIn(items: readonly unknown[], index: number, first: number, owner: TaskOwner): Task
  cancel(tasks: readonly Task[]): Promise<void>
  /** No chunk will come any more. */
  ended(): void
}

const chunksInOneGo = 1000

type Arrived =
  { readonly ok: true; readonly values: readonly unknown[] } | { readonly ok: false; readonly error: unknown }

/**
 * Results of `imap` and `imapUnordered`, as they come. The iterable is read only as far as the window allows: what is
 * with the workers plus what nobody has taken yet. As in CPython an error is thrown at the place of its chunk, and the
 * iteration may go on after it by calling `next()` again; what the iterable itself throws comes after all results
 * before it. Leaving a `for await` loop early cancels what is still on its way.
 */
export class ImapIterator<T> implements AsyncIterableIterator<T>, TaskOwner {
  readonly #context: ImapContext
  readonly #source: Iterator<unknown> | AsyncIterator<unknown>
  readonly #chunkSize: number
  readonly #ordered: boolean
  /** Chunks that have ended and wait to be read, by the place at which they are due. */
  readonly #arrived = new Map<number, Arrived>()
  readonly #tasks = new Set<Task>()
  #values: readonly unknown[] = []
  #at = 0
  /** The next place to read. */
  #due = 0
  /** Places given out: in the order of the chunks, or in the order in which they end. */
  #handedIn = 0
  #ended = 0
  /** Items read so far. */
  #read = 0
  #exhausted = false
  #failure: { readonly error: unknown } | undefined
  #pulling = false
  #left = false
  #wake: (() => void) | undefined
  /** Calls of next() are served one after another. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    context: ImapContext,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions,
    ordered: boolean,
  ) {
    checkChunkSize(options.chunkSize)
    this.#context = context
    this.#chunkSize = options.chunkSize ?? 1
    this.#ordered = ordered
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => undefined)
    return result
  }

  /** The window may have grown. */
  goOn(): void {
    void this.#pull()
  }

  /** The pool ends: what is on its way has its own end, and nothing follows it but this error. */
  abort(error: unknown): void {
    if (this.#exhausted) return
    this.#failure = { error }
    this.#exhaust()
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#left = true
    this.#exhaust()
    // An async generator that is being read returns only once it has yielded, which may be never: then nobody waits for
    // it.
    const waits = this.#pulling
    const closed = (async () => this.#source.return?.())()
    closed.catch(() => undefined)
    await this.#context.cancel([...this.#tasks])
    if (!waits) await closed
    return { done: true, value: undefined }
  }

  [taskDone](task: Task, value: unknown): void {
    this.#arrive(task, { ok: true, values: value as readonly unknown[] })
  }

  [taskFailed](task: Task, error: unknown): void {
    this.#arrive(task, { ok: false, error })
  }

  /** Nothing is read any more. */
  #exhaust(): void {
    if (!this.#exhausted) {
      this.#exhausted = true
      this.#context.ended()
    }
    this.#wake?.()
  }

  #arrive(task: Task, arrived: Arrived): void {
    this.#tasks.delete(task)
    this.#arrived.set(this.#ordered ? task.index : this.#ended, arrived)
    this.#ended++
    this.#wake?.()
    if (this.#context.closing()) void this.#pull()
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      if (this.#left) return { done: true, value: undefined }
      if (this.#at < this.#values.length) return { done: false, value: this.#values[this.#at++] as T }
      const arrived = this.#arrived.get(this.#due)
      if (arrived !== undefined) {
        this.#arrived.delete(this.#due++)
        void this.#pull()
        // The iterable's own error is not a chunk's: it reads on only after that.
        if (!arrived.ok) throw arrived.error
        this.#values = arrived.values
        this.#at = 0
        continue
      }
      if (this.#exhausted && this.#due >= this.#handedIn) {
        const failure = this.#failure
        this.#failure = undefined
        if (failure) throw failure.error
        return { done: true, value: undefined }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  /** Reads the iterable and hands in chunks, as far as the window allows. */
  async #pull(): Promise<void> {
    if (this.#pulling) return
    this.#pulling = true
    try {
      for (let chunk = 1; !this.#exhausted && this.#onTheWay() < this.#context.window(); chunk++) {
        // Chunks that cannot be sent end at once: an endless iterable of them must not block everybody else.
        if (chunk % chunksInOneGo === 0)
          await new Promise((resolve) => {
            setImmediate(resolve)
          })
        const items: unknown[] = []
        let last = false
        while (items.length < this.#chunkSize) {
          const step = this.#source.next()
          const { done, value } = ('then' in step ? await step : step) as IteratorResult<unknown, unknown>
          // It was left, or the pool ended, while we waited for the iterable.
          if (this.#isOver()) return
          if (done === true) {
            last = true
            break
          }
          items.push(value)
        }
        if (items.length > 0) this.#handIn(items)
        if (last) this.#exhaust()
      }
    } catch (error) {
      // A chunk that was begun when the iterable threw is lost with it, as in CPython.
      this.abort(error)
    } finally {
      this.#pulling = false
    }
  }

  /**
   * What counts for the window: results that nobody has taken as well, until the pool is closed and must come to its
   * end without them.
   */
  #onTheWay(): number {
    return this.#context.closing() ? this.#tasks.size : this.#handedIn - this.#due
  }

  #isOver(): boolean {
    return this.#exhausted
  }

  #handIn(items: readonly unknown[]): void {
    const task = this.#context.handIn(items, this.#handedIn++, this.#read, this)
    this.#read += items.length
    // One that cannot be sent has ended already.
    if (task.state === 'queued') this.#tasks.add(task)
  }
}
