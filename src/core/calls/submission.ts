import { RunFlag } from '../../runtimes'
import { isBytes, packArguments } from '../terms/arguments'
import { AsyncResult } from '../tasks/asyncResult'
import type { Canceller, ResultCallbacks } from '../tasks/asyncResult'
import { ImapIterator } from './imap'
import { PendingItems } from '../tasks/pendingItems'
import { chunkLabel, commandLabel, functionLabel } from '../terms/labels'
import { checkChunkSize, defaultChunkSize, MapCollector } from '../tasks/map'
import type { MapOptions } from '../tasks/map'
import { findModule, checkPython } from '../terms/options'
import type { PersistentSettings, PoolSettings } from '../terms/options'
import { chunksOf, ItemResults } from '../tasks/itemChunks'
import { Task } from '../tasks/task'
import type { TaskOwner } from '../tasks/task'
import type { TaskArguments } from '../terms/arguments'
import type { TaskStore } from '../tasks/taskStore'
import { TaskFunction } from '../tasks/taskFunction'
import type { FunctionName, FunctionStats } from '../terms/types'

/**
 * Which function a task calls: an export of the pool's module, or of another one (path relative to the pool's `cwd`).
 */
export type TaskFunctionName = FunctionName

export interface ApplyOptions<T> extends ResultCallbacks<T> {
  /** Shown for the task. Default: the call, `resize(img_7.png)`. */
  readonly label?: string
  readonly index?: number
}

export interface MapAsyncOptions<T> extends MapOptions, ResultCallbacks<T[]> {}

export interface RunItemsOptions {
  /** How many items there are, for counts and progress, when the iterable is not an array. */
  readonly total?: number
  /** Items of one task; default 1. Not in command pools. */
  readonly chunkSize?: number
  /** Called with each item's result; without it results stay in the workers. */
  readonly onResult?: (index: number, value: unknown) => void
}

export interface TaskSubmissionHooks extends Canceller {
  /** What the task was to be called with cannot be sent. */
  uncallable(task: Task, error: unknown): void
  /** There is something to do. */
  handedIn(): void
  /** A stream of tasks has ended: perhaps it was the last thing to wait for. */
  streamEnded(): void
  /** Now and from now on. */
  processes(): number
}

/**
 * An imap without tasks that are long shows its results as they come; one of short tasks must not wait for the reader
 * each time.
 */
const leastWindow = 4

/** Where tasks come in: makes the record of each, with its label, and the AsyncResult its caller holds. */
export class TaskSubmission {
  readonly #settings: PoolSettings
  readonly #store: TaskStore
  readonly #hooks: TaskSubmissionHooks

  #last = 0
  readonly #functions = new Map<string, TaskFunction>()
  readonly #streams = new Set<ImapIterator<unknown>>()
  /** Maps over async iterables that are still being read: how each is told that it is over. */
  readonly #reading = new Set<(error: unknown) => void>()
  #closing = false

  constructor(settings: PoolSettings, store: TaskStore, hooks: TaskSubmissionHooks) {
    this.#settings = settings
    this.#store = store
    this.#hooks = hooks
  }

  /** True while tasks may still come from what was handed in before. */
  get open(): boolean {
    return this.#streams.size > 0 || this.#reading.size > 0
  }

  stats(): FunctionStats[] {
    return [...this.#functions.values()].flatMap((fn) => fn.stats() ?? [])
  }

  /**
   * The pool was closed: what was handed in before is still read, and to its end, whether somebody takes the results or
   * not.
   */
  close(): void {
    this.#closing = true
    for (const stream of this.#streams) stream.goOn()
  }

  /** The pool ends: nothing is read any more. */
  abort(error: unknown): void {
    for (const stream of [...this.#streams]) stream.abort(error)
    for (const stop of [...this.#reading]) stop(error)
  }

  call<T>(name: TaskFunctionName, args: readonly unknown[], options: ApplyOptions<T>): AsyncResult<T> {
    const fn = this.#function(name, 'applyAsync')
    const result = new AsyncResult<T>(this.#hooks, options)
    const task = this.#handIn(fn, args, options.index ?? -1, result, options.label ?? null, RunFlag.keepResult)
    AsyncResult.of(result, task)
    return result
  }

  map<T>(
    name: TaskFunctionName,
    items: Iterable<unknown>,
    star: boolean,
    options: MapAsyncOptions<T>,
  ): AsyncResult<T[]> {
    const fn = this.#function(name, star ? 'starmap' : 'map')
    checkChunkSize(options.chunkSize)
    return this.#mapAll(fn, Array.isArray(items) ? (items as unknown[]) : [...items], star, options)
  }

  /** As {@link map}, of any iterable; resolves with the values. */
  async mapAny<T>(
    name: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    star: boolean,
    options: MapOptions,
  ): Promise<T[]> {
    const result =
      Symbol.asyncIterator in items
        ? await this.#mapLater<T>(name, items, star, options)
        : this.map<T>(name, items, star, options)
    return result.get()
  }

  /** As {@link map}; reads the async iterable first, unless the pool ends meanwhile. */
  #mapLater<T>(
    name: TaskFunctionName,
    items: AsyncIterable<unknown>,
    star: boolean,
    options: MapAsyncOptions<T>,
  ): Promise<AsyncResult<T[]>> {
    const fn = this.#function(name, star ? 'starmap' : 'map')
    checkChunkSize(options.chunkSize)
    return new Promise((resolve, reject) => {
      const stop = (error: unknown): void => {
        // The reason is what the user's iterable threw: it is handed on as it is.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(error)
        if (this.#reading.delete(stop)) this.#hooks.streamEnded()
      }
      this.#reading.add(stop)
      const handIn = (all: readonly unknown[]): void => {
        if (!this.#reading.has(stop)) return
        resolve(this.#mapAll<T>(fn, all, star, options))
        this.#reading.delete(stop)
        this.#hooks.streamEnded()
      }
      collect(items, () => this.#reading.has(stop))
        .then(handIn)
        .catch(stop)
    })
  }

  imap<T>(
    name: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions,
    ordered: boolean,
  ): ImapIterator<T> {
    const fn = this.#function(name, ordered ? 'imap' : 'imapUnordered')
    const stream = new ImapIterator<T>(
      {
        window: () => Math.max(leastWindow, 2 * fn.depth) * this.#hooks.processes(),
        closing: () => this.#closing,
        handIn: (chunk, index, first, owner) =>
          this.#handIn(
            fn,
            chunk,
            index,
            owner,
            chunkLabel(fn.labelName, first, chunk.length),
            RunFlag.keepResult | RunFlag.chunk,
          ),
        cancel: (tasks) => this.#hooks.cancelTasks(tasks, 'the iteration was left'),
        ended: () => {
          this.#streams.delete(stream)
          this.#hooks.streamEnded()
        },
      },
      items,
      options,
      ordered,
    )
    this.#streams.add(stream)
    stream.goOn()
    return stream
  }

  item(item: unknown, index: number, callbacks: ResultCallbacks<unknown>): AsyncResult {
    const settings = this.#settings
    const result = new AsyncResult(this.#hooks, callbacks)
    const task =
      settings.kind === 'command'
        ? this.#add(this.#command([item], index, result))
        : this.#handIn(this.#function(settings.exportName, 'runItem'), [item], index, result, null, RunFlag.keepResult)
    AsyncResult.of(result, task)
    return result
  }

  again(task: Task): AsyncResult {
    const result = new AsyncResult(this.#hooks, undefined)
    AsyncResult.of(
      result,
      this.#add(new Task(++this.#last, task.index, task.fn, task.args, result, task.label, task.flags)),
    )
    return result
  }

  items(items: Iterable<unknown>, { total, chunkSize = 1, onResult }: RunItemsOptions): Promise<void> {
    checkChunkSize(chunkSize)
    const settings = this.#settings
    const size = settings.kind === 'command' ? 1 : chunkSize
    const count = total ?? (Array.isArray(items) ? items.length : undefined)
    const source =
      size === 1
        ? new PendingItems(items, count)
        : new PendingItems(chunksOf(items, size), count === undefined ? undefined : Math.ceil(count / size))
    const owner = onResult === undefined ? null : new ItemResults(size, onResult)
    const make =
      settings.kind === 'command'
        ? (item: unknown, index: number) => this.#command([item], index, owner)
        : this.#itemMaker(this.#function(settings.exportName, 'runItems'), size, owner)
    this.#store.addSource(source, make)
    this.#hooks.handedIn()
    return source.done
  }

  #itemMaker(fn: TaskFunction, size: number, owner: TaskOwner | null): (item: unknown, index: number) => Task {
    const flags = (owner === null ? 0 : RunFlag.keepResult) | (size === 1 ? 0 : RunFlag.chunk)
    return (item, index) => {
      const args = size === 1 ? [item] : (item as unknown[])
      const { task, error } = this.#make(
        fn,
        args,
        index,
        owner,
        size === 1 ? null : chunkLabel(fn.labelName, index * size, args.length),
        flags,
      )
      if (error !== undefined) task.incident.callError = error
      return task
    }
  }

  #mapAll<T>(
    fn: TaskFunction,
    items: readonly unknown[],
    star: boolean,
    options: MapAsyncOptions<T>,
  ): AsyncResult<T[]> {
    const size = options.chunkSize ?? defaultChunkSize(items.length, this.#hooks.processes())
    const result: AsyncResult<T[]> = new AsyncResult<T[]>(this.#hooks, options, () => collector.tasks)
    const collector: MapCollector = new MapCollector(Math.ceil(items.length / size), (state, outcome) => {
      AsyncResult.settle(result, state, outcome)
    })
    const flags = RunFlag.keepResult | RunFlag.chunk | (star ? RunFlag.star : 0)
    for (let first = 0, chunk = 0; first < items.length; first += size, chunk++) {
      const part = items.slice(first, first + size)
      collector.tasks.push(
        this.#handIn(fn, part, chunk, collector, chunkLabel(fn.labelName, first, part.length), flags),
      )
    }
    return result
  }

  /** A task that cannot be sent is over at once; the others are in the queue from now on. */
  #handIn(
    fn: TaskFunction,
    args: readonly unknown[],
    index: number,
    owner: TaskOwner,
    label: string | null,
    flags: number,
  ): Task {
    const { task, error } = this.#make(fn, args, index, owner, label, flags)
    if (error === undefined) return this.#add(task)
    this.#hooks.uncallable(task, error)
    return task
  }

  #make(
    fn: TaskFunction,
    args: readonly unknown[],
    index: number,
    owner: TaskOwner | null,
    label: string | null,
    flags: number,
  ): { task: Task; error: unknown } {
    let packed: TaskArguments = null
    let error: unknown
    if (this.#settings.kind === 'module' && (flags & RunFlag.chunk) === 0 && isBytes(args)) {
      const task = new Task(
        ++this.#last,
        index,
        fn,
        Buffer.from(args[0]),
        owner,
        label ?? fn.labelOf(args),
        flags | RunFlag.bytes,
      )
      return { task, error }
    }
    try {
      packed = packArguments(
        args,
        this.#settings.kind === 'python' ? 'json' : 'clone',
        (flags & RunFlag.chunk) === 0 ? 'arguments' : 'items',
      )
    } catch (thrown) {
      error = thrown
    }
    // Of packed arguments nothing can be shown later.
    return {
      task: new Task(
        ++this.#last,
        index,
        fn,
        packed,
        owner,
        label ?? (packed === args ? null : fn.labelOf(args)),
        flags,
      ),
      error,
    }
  }

  #add(task: Task): Task {
    this.#store.add(task)
    this.#hooks.handedIn()
    return task
  }

  /** @throws TypeError in a command pool */
  #function(name: TaskFunctionName, method: string): TaskFunction {
    const settings = this.#settings
    if (settings.kind === 'command')
      throw new TypeError(`${method} calls a function; a command pool runs items: use runItem`)
    const key = typeof name === 'string' ? name : `${name.name} ${name.module}`
    const known = this.#functions.get(key)
    if (known) return known
    const other = typeof name === 'string' ? null : moduleOf(name.module, settings)
    const called = typeof name === 'string' ? name : name.name
    const fn = new TaskFunction(this.#functions.size, other, called, labelName(settings, other, called))
    this.#functions.set(key, fn)
    return fn
  }

  #command(args: readonly [unknown], index: number, owner: TaskOwner | null): Task {
    const { name } = this.#settings
    let fn = this.#functions.get(name)
    if (fn === undefined) {
      fn = new TaskFunction(0, null, name, name)
      this.#functions.set(name, fn)
    }
    return new Task(++this.#last, index, fn, args, owner, this.#commandLabel(args[0], index), 0)
  }

  #commandLabel(item: unknown, index: number): string {
    const settings = this.#settings
    try {
      return settings.kind === 'command' ? commandLabel(settings.template.display(item, index)) : settings.name
    } catch {
      // It cannot be part of a command line, which its task will say.
      return `${settings.name} [${index}]`
    }
  }
}

/** Everything that it yields while that is `wanted`. */
async function collect(items: AsyncIterable<unknown>, wanted: () => boolean): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) {
    if (!wanted()) break
    all.push(item)
  }
  return all
}

function moduleOf(module: string, settings: PersistentSettings): string {
  return settings.kind === 'python' ? checkPython(module).module : findModule(module, settings.cwd).module
}

function labelName(settings: PersistentSettings, other: string | null, name: string): string {
  if (settings.kind === 'module') return functionLabel(other ?? settings.module, name)
  if (name !== 'default') return name
  return settings.exportName === 'default' || other !== null ? (other ?? settings.module) : settings.exportName
}
