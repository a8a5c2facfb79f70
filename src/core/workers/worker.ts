import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { ProcessIdentity, ProcessTable } from '../../processes'
import type { ShutdownActor } from '../../shutdown'
import { OutputCapture } from '../output/outputCapture'
import type { StreamName } from '../output/outputCapture'
import type { OutputFolder } from '../output/outputFolder'
import { OutputTail } from '../output/outputTail'
import { describeTask } from '../tasks/task'
import type { Task } from '../tasks/task'
import type { WorkerInfo, WorkerStatus } from '../terms/types'

/** How a task ended by its own doing; a task whose worker ended has no outcome. */
export type TaskOutcome = (
  { readonly kind: 'returned'; readonly value: unknown } | { readonly kind: 'threw'; readonly error: unknown }
) & {
  /** What the run took, measured where it ran. */
  readonly micros: number
}

/** What a worker tells the pool. */
export interface WorkerHooks {
  changed(worker: Worker): void
  output(worker: Worker, taskId: string | null, stream: StreamName, chunk: Buffer): void
  taskEnded(worker: Worker, task: Task, outcome: TaskOutcome): void
  /** The process is gone and its pipes are read; `worker.task` is what it took with it. */
  gone(worker: Worker): void
}

/**
 * After a process has exited, what it wrote is still in its pipes and is read within one turn of the event loop. A pipe
 * that stays open longer is held by something it left behind, which may live for ever (facts: cause 9): it is not
 * waited for.
 */
const pipeDrainMs = 100
/** Enough of a worker's stderr to say why it died. */
const lastWordsBytes = 8 * 1024

/** One process of a pool and what is known of it. */
export abstract class Worker {
  readonly #folder: OutputFolder
  readonly #table: ProcessTable

  status: WorkerStatus = 'starting'
  exitCode: number | null = null
  signal: NodeJS.Signals | null = null
  tasksDone = 0
  readonly startedAt = Date.now()
  exitedAt: number | null = null
  /** In flight; stays after an exit, to show what the worker took with it. */
  task: Task | null = null
  /** After an exit: tasks that it has begun as well, whose answers, if there were any, could not be read. */
  readonly unknown: Task[] = []
  /** Output of {@link task}, or of the last one; null while it has not printed anything. */
  capture: OutputCapture | null = null
  /** The shutdown that was asked of it, which explains its exit. */
  endRequest: { readonly askedBy: ShutdownActor; readonly reason: string } | null = null
  /** It was sent SIGTERM and is still there: what had been foreseen. */
  survivedTerminate: readonly string[] | null = null
  /** What it reported before an uncaught error ended it. */
  uncaught: unknown
  readonly lastWords = new OutputTail(lastWordsBytes)

  protected child: ChildProcess | undefined
  readonly #open = new Map<Readable, StreamName | 'channel'>()
  #identity: Promise<ProcessIdentity | undefined> | undefined
  #exited = false
  #gone = false
  #drainTimer: NodeJS.Timeout | undefined
  readonly #waiting: (() => void)[] = []

  constructor(
    readonly name: string,
    /** Value of UNHANG_WORKER in its environment. */
    readonly marker: string,
    protected readonly hooks: WorkerHooks,
    folder: OutputFolder,
    table: ProcessTable,
  ) {
    this.#folder = folder
    this.#table = table
  }

  get pid(): number {
    return this.child?.pid ?? -1
  }

  /** The process has ended (its pipes may still be read). */
  get exited(): boolean {
    return this.#exited
  }

  /** Closes the channel, so that it may finish up; undefined for workers without one. */
  abstract get ask(): (() => void) | undefined

  /**
   * Who it is to the system, undefined once it has exited. As long as Node has not reported the exit nobody has
   * collected the process, so its pid cannot have been given to another one: what is read before that is proven ours.
   */
  async identity(): Promise<ProcessIdentity | undefined> {
    if (this.child?.pid === undefined) return undefined
    if (this.#identity === undefined) {
      if (this.#exited) return undefined
      const reading = this.#table
        .identify(this.child.pid)
        .then((identity) => (this.#exited && process.platform !== 'linux' ? undefined : identity))
      this.#identity = reading
      // Out of file descriptors, say: that passes, and the next one who asks gets an answer.
      reading.catch(() => {
        this.#identity = undefined
      })
    }
    return this.#identity
  }

  describe(): WorkerInfo {
    return {
      name: this.name,
      pid: this.pid,
      status: this.status,
      exitCode: this.exitCode,
      signal: this.signal,
      tasksDone: this.tasksDone,
      startedAt: this.startedAt,
      exitedAt: this.exitedAt,
      ...(this.task === null ? {} : { task: describeTask(this.task) }),
    }
  }

  /** Resolves once the process is gone and its pipes are read. */
  whenGone(): Promise<void> {
    if (this.#gone) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves once the process has been collected. */
  whenExited(): Promise<void> {
    const { child } = this
    if (this.#exited || child === undefined) return Promise.resolve()
    return new Promise((resolve) =>
      child.once('exit', () => {
        resolve()
      }),
    )
  }

  /** After its exit: something it left behind still holds its output. */
  get pipesHeld(): boolean {
    return this.#gone && this.#open.size > 0
  }

  /** True when it holds the task, begun or not. */
  has(task: Task): boolean {
    return this.task === task
  }

  /**
   * Right after a recall: true when the task may be running; false when a later one has begun, so that its own answer
   * is on its way, and ending the worker would take an innocent task.
   */
  isAt(task: Task): boolean {
    return this.task === task
  }

  /** A shutdown has begun: no more tasks for this one. */
  stopping(): void {
    this.setStatus('stopping')
  }

  /** Our process may end although this one still runs. */
  unref(): void {
    this.child?.unref()
    for (const pipe of this.#open.keys()) unrefPipe(pipe)
  }

  /** Stops reading what descendants of an exited worker still write. */
  closePipes(): void {
    for (const pipe of this.#open.keys()) pipe.destroy()
    this.#open.clear()
  }

  protected setStatus(status: WorkerStatus): void {
    if (this.status === status || this.status === 'exited') return
    this.status = status
    this.hooks.changed(this)
  }

  /** Takes over a process that was just started. */
  protected adopt(child: ChildProcess, pipes: readonly (readonly [Readable, StreamName | 'channel'])[]): void {
    this.child = child
    // Linux reads it at once, in some 20 µs; elsewhere it takes a subprocess, and is only done when somebody asks.
    if (process.platform === 'linux') this.identity().catch(() => undefined)
    child.on('exit', (exitCode, signal) => {
      this.#onExit(exitCode, signal)
    })
    for (const [pipe, name] of pipes) {
      this.#open.set(pipe, name)
      pipe.on('close', () => {
        this.#onPipeClosed(pipe)
      })
      // A reset is an end: what counts is the exit of the process.
      pipe.on('error', () => {
        pipe.destroy()
      })
      if (name !== 'channel')
        pipe.on('data', (chunk: Buffer) => {
          this.#onOutput(pipe, name, chunk)
        })
    }
  }

  /** Its output belongs to this task from now on. */
  protected beginTask(task: Task): void {
    this.task = task
    this.capture = null
  }

  /** Called when everything is read that was written before the exit. */
  protected drained(): void {
    // Only module workers have something left to do here.
  }

  #onOutput(pipe: Readable, name: StreamName, chunk: Buffer): void {
    if (name === 'stderr') this.lastWords.push(chunk)
    const { task } = this
    // What comes after the end is from a descendant: shown, but the files are closed.
    const capture =
      task && !this.#gone ? (this.capture ??= new OutputCapture(this.#folder, `${task.id}-${task.attempt}`)) : null
    if (capture && !capture.push(name, chunk, () => pipe.resume()) && !this.#exited) pipe.pause()
    this.hooks.output(this, task?.id ?? null, name, chunk)
  }

  #onExit(exitCode: number | null, signal: NodeJS.Signals | null): void {
    this.#exited = true
    this.exitCode = exitCode
    this.signal = signal
    this.exitedAt = Date.now()
    if (this.#open.size === 0) {
      this.#finish()
      return
    }
    // What is left in the pipes is small; a slow disk must not make us lose it.
    for (const pipe of this.#open.keys()) pipe.resume()
    this.#drainTimer = setTimeout(() => {
      // If our own event loop was busy for that long, the pipes are only read after this timer: one turn more.
      setImmediate(() => {
        for (const pipe of this.#open.keys()) unrefPipe(pipe)
        this.#finish()
      })
    }, pipeDrainMs)
  }

  #onPipeClosed(pipe: Readable): void {
    this.#open.delete(pipe)
    if (this.#exited && this.#open.size === 0) this.#finish()
  }

  #finish(): void {
    if (this.#gone) return
    clearTimeout(this.#drainTimer)
    this.drained()
    this.#gone = true
    this.status = 'exited'
    this.hooks.gone(this)
    for (const resolve of this.#waiting) resolve()
  }
}

/** Sockets have unref, which the type of a pipe does not say. */
function unrefPipe(pipe: Readable): void {
  if ('unref' in pipe && typeof pipe.unref === 'function') (pipe as Readable & { unref(): void }).unref()
}
