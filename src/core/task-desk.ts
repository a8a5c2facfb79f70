import { serialize } from 'node:v8'
import { AsyncResult } from './async-result'
import type { ResultCallbacks } from './async-result'
import { ItemSource } from './item-source'
import { callLabel, commandLabel } from './labels'
import { findModule } from './options'
import type { PoolSettings } from './options'
import { surfaceErrors } from './surface-errors'
import { Task } from './task'
import type { ModuleCall } from './task'
import type { TaskBook } from './task-book'

/** Which function a task calls: an export of the pool's module, or of another one (path relative to the pool's `cwd`). */
export type TaskFunctionName = string | { readonly module: string; readonly name: string }

export interface ApplyOptions<T> extends ResultCallbacks<T> {
  /** Shown for the task. Default: the call, `resize(img_7.png)`. */
  readonly label?: string
  readonly index?: number
}

export interface RunItemsOptions {
  /** How many items there are, for counts and progress, when the iterable is not an array. */
  readonly total?: number
  /** Called with each item's result; without it results stay in the workers. */
  readonly onResult?: (index: number, value: unknown) => void
}

export interface TaskDeskHooks {
  cancel(id: string): Promise<unknown>
  /** What the task was to be called with cannot be cloned. */
  uncallable(task: Task, error: unknown): void
  /** There is something to do. */
  handedIn(): void
}

/** Where tasks come in: makes the record of each, with its label, and the AsyncResult its caller holds. */
export class TaskDesk {
  #last = 0

  constructor(
    private readonly settings: PoolSettings,
    private readonly book: TaskBook,
    private readonly hooks: TaskDeskHooks,
  ) {}

  call<T>(fn: TaskFunctionName, args: readonly unknown[], options: ApplyOptions<T>): AsyncResult<T> {
    const { settings } = this
    if (settings.kind !== 'module') throw new TypeError('applyAsync calls an export of a module; a command pool runs items: use runItem')
    const other = typeof fn === 'string' ? undefined : findModule(fn.module, settings.cwd)
    const name = typeof fn === 'string' ? fn : fn.name
    const label = options.label ?? callLabel(other?.module ?? settings.module, name, args)
    return this.#handIn<T>(options.index ?? -1, label, undefined, options, () => ({
      fn: name, module: other?.module ?? null, args: cloned(args), keepResult: true,
    }))
  }

  item(item: unknown, index: number, callbacks: ResultCallbacks<unknown>): AsyncResult {
    return this.#handIn(index, this.#labelOf(item, index), item, callbacks, () => this.#callWith(item, true))
  }

  again(task: Task): AsyncResult {
    return this.#handIn(task.index, task.label, task.item, {}, () => task.call)
  }

  items(items: Iterable<unknown>, { total, onResult }: RunItemsOptions): Promise<void> {
    const source = new ItemSource(items, total)
    this.book.addSource(source, (item, index) => {
      const settle = onResult && {
        resolve: (value: unknown) => { surfaceErrors(() => { onResult(index, value) }) },
        reject: () => undefined,
      }
      const make = (call: ModuleCall | null) => new Task(++this.#last, index, call, item, settle ?? null, this.#labelOf(item, index))
      try {
        return make(this.#callWith(item, onResult !== undefined))
      } catch (error) {
        const task = make(null)
        task.callError = error
        return task
      }
    })
    this.hooks.handedIn()
    return source.done
  }

  #handIn<T>(index: number, label: string, item: unknown, callbacks: ResultCallbacks<T>, makeCall: () => ModuleCall | null): AsyncResult<T> {
    const number = ++this.#last
    const id = `t${number}`
    const cancel = async (): Promise<void> => {
      await this.hooks.cancel(id)
    }
    const { result, settle } = AsyncResult.create<T>([id], cancel, callbacks)
    const make = (call: ModuleCall | null) => new Task(number, index, call, item, settle, label)
    let call: ModuleCall | null
    try {
      call = makeCall()
    } catch (error) {
      this.hooks.uncallable(make(null), error)
      return result
    }
    this.book.add(make(call))
    this.hooks.handedIn()
    return result
  }

  /** null in a command pool, which needs only the item. */
  #callWith(item: unknown, keepResult: boolean): ModuleCall | null {
    const { settings } = this
    return settings.kind === 'command' ? null : { fn: settings.exportName, module: null, args: cloned([item]), keepResult }
  }

  #labelOf(item: unknown, index: number): string {
    const { settings } = this
    if (settings.kind === 'module') return callLabel(settings.module, settings.exportName, [item])
    try {
      return commandLabel(settings.template.display(item, index))
    } catch {
      // It cannot be part of a command line, which its task will say.
      return `${settings.name} [${index}]`
    }
  }
}

/** Arguments as they travel. Plain values need no check; everything else is cloned now, so that what cannot be says so at once. */
function cloned(args: readonly unknown[]): readonly unknown[] | Buffer {
  return args.every((arg) => arg === null || (typeof arg !== 'object' && typeof arg !== 'function' && typeof arg !== 'symbol')) ? args : serialize(args)
}
