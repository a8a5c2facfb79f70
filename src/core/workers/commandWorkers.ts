import { existsSync } from 'node:fs'
import { findProgram } from '../../runtimes'
import { CommandWorker } from './commandWorker'
import type { CommandWorkerHooks } from './commandWorker'
import { StartError } from '../terms/errors'
import type { CommandSettings } from '../terms/options'
import { WorkerNames } from './workerSet'
import type { WorkerSet, WorkerSetContext, WorkerSetHooks } from './workerSet'
import type { Task } from '../tasks/task'
import type { Worker } from './worker'

/** Starting a process blocks for about a millisecond: after this long in one go others get their turn. */
const startBudgetMs = 10
/** The system is out of processes, memory or file descriptors: that passes when something ends. */
const exhausted: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'])
const exhaustedDelayMs = 250
/** With nothing of ours running that could end, a full system gets this many chances, 5 s together. */
const exhaustedTries = 20

/** The workers of a command pool: a process per task, as many at a time as `processes`. */
export class CommandWorkers implements WorkerSet, CommandWorkerHooks {
  readonly workers = new Set<CommandWorker>()
  readonly #settings: CommandSettings
  readonly #hooks: WorkerSetHooks
  readonly #context: WorkerSetContext
  readonly #names = new WorkerNames()
  #programPath: { readonly program: string; readonly path: string } | undefined
  #processes: number
  #stopped = false
  #filling = false
  #later: NodeJS.Immediate | undefined
  #pause: NodeJS.Timeout | undefined
  #triesWithoutRoom = 0

  constructor(settings: CommandSettings, context: WorkerSetContext, hooks: WorkerSetHooks) {
    this.#settings = settings
    this.#processes = settings.processes
    this.#context = context
    this.#hooks = hooks
  }

  fill(): void {
    // A task that cannot be started ends at once, and its end asks for the next one: one loop is enough.
    if (this.#filling || this.#later !== undefined || this.#isPaused()) return
    this.#filling = true
    const until = performance.now() + startBudgetMs
    while (!this.#stopped && this.workers.size < this.#processes) {
      const task = this.#hooks.nextTask()
      if (task === undefined) break
      this.#start(task)
      if (this.#isPaused()) break
      if (performance.now() > until) {
        this.#later = setImmediate(() => {
          this.#later = undefined
          this.fill()
        })
        break
      }
    }
    this.#filling = false
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#pause)
  }

  dismiss(): void {
    // Each worker ends with its task.
  }

  resize(processes: number): void {
    this.#processes = processes
    this.fill()
  }

  hold(): void {
    // A command begins when it is given to its worker.
  }

  takeBack(): void {
    // Neither is anything sent ahead.
  }

  softTimeout(): boolean {
    return false
  }

  changed(worker: Worker): void {
    this.#hooks.workerChanged(worker)
  }

  output(...args: Parameters<WorkerSetHooks['output']>): void {
    this.#hooks.output(...args)
  }

  taskEnded(): void {
    // A command ends with its process: gone() tells.
  }

  gone(worker: CommandWorker): void {
    this.workers.delete(worker)
    this.#hooks.workerGone(worker)
    this.fill()
  }

  startFailed(worker: CommandWorker, error: NodeJS.ErrnoException): void {
    this.workers.delete(worker)
    const { task } = worker
    if (task === null) return
    if (exhausted.has(error.code) && !this.#stopped && this.#triesWithoutRoom < exhaustedTries) {
      this.#triesWithoutRoom++
      this.#waitForRoom(task)
      return
    }
    this.#hooks.taskNotStarted(
      task,
      new StartError(`${task.label} could not be started: ${this.#reasonOf(error)}`, task.label, error.code, {
        cause: error,
      }),
    )
    this.fill()
  }

  /** The system's codes do not say which file is missing, or what is too long. */
  #reasonOf(error: NodeJS.ErrnoException): string {
    const { cwd } = this.#settings
    if (error.code === 'ENOENT' && !existsSync(cwd)) return `"cwd": the folder ${cwd} is gone`
    if (error.code === 'E2BIG')
      return (
        'the item is too long for a command line (an argument takes 128 KiB on Linux): write it to a file and ' +
        'pass its path'
      )
    return error.message
  }

  #start(task: Task): void {
    const { template, cwd, env } = this.#settings
    let command
    try {
      const rendered = template.render(Array.isArray(task.args) ? (task.args as unknown[])[0] : undefined, task.index)
      command = rendered.shell ? rendered : { ...rendered, file: this.#locate(rendered.file) }
    } catch (error) {
      this.#hooks.taskNotStarted(task, error)
      return
    }
    const name = this.#names.next()
    const marker = `${this.#context.poolId}/${name}`
    const worker = new CommandWorker(name, marker, this, this.#context.folder, this.#context.table)
    this.workers.add(worker)
    worker.start(task, command, { cwd, env: { ...env, ...command.env, UNHANG_WORKER: marker } })
    if (worker.pid === -1) return
    this.#triesWithoutRoom = 0
    this.#hooks.workerStarted(worker)
    this.#hooks.taskStarted(task, worker)
  }

  /** @throws StartError */
  #locate(program: string): string {
    if (this.#programPath?.program === program) return this.#programPath.path
    const { cwd, env } = this.#settings
    const path = findProgram(program, cwd, env.PATH)
    if (path === undefined) {
      throw new StartError(
        program.includes('/')
          ? `command not found: there is no executable file ${program}`
          : `command not found: no executable "${program}" in PATH`,
        program,
        'ENOENT',
      )
    }
    this.#programPath = { program, path }
    return path
  }

  #isPaused(): boolean {
    return this.#pause !== undefined
  }

  #waitForRoom(task: Task): void {
    this.#hooks.putBack(task)
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.fill()
    }, exhaustedDelayMs)
  }
}
