import { FrameKind, RunFlag, type FrameWriter } from '../../runtimes'
import type { Task } from '../tasks/task'
import type { TaskFunction } from '../tasks/taskFunction'
import type { TaskArguments } from '../terms/arguments'

/** Writes tasks to a worker; a function is defined with its first task. */
export class TaskWriter {
  readonly #writer: FrameWriter
  readonly #values: 'clone' | 'json'
  readonly #defined = new Set<number>()

  constructor(writer: FrameWriter, values: 'clone' | 'json') {
    this.#writer = writer
    this.#values = values
  }

  /** @param ahead The worker has a task already: this one must be claimed before it begins. */
  write(task: Task, fn: TaskFunction, args: NonNullable<TaskArguments>, ahead: boolean): void {
    if (!this.#defined.has(fn.id)) {
      this.#defined.add(fn.id)
      this.#writer.text(FrameKind.define, fn.id, 0, JSON.stringify({ module: fn.module, name: fn.name }))
    }
    const extra = fn.id | ((task.flags | (ahead ? RunFlag.claim : 0)) << 16)
    if (Buffer.isBuffer(args)) this.#writer.bytes(this.#kindOf(task), task.number, extra, args)
    else this.#writer.text(FrameKind.runJson, task.number, extra, JSON.stringify(args))
  }

  #kindOf(task: Task): FrameKind {
    if (this.#values === 'json') return FrameKind.runJson
    return (task.flags & RunFlag.bytes) === 0 ? FrameKind.runClone : FrameKind.runBytes
  }
}
