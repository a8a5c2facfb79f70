import type { Socket } from 'node:net'
import { FrameKind, FrameReader, decodePayload, encodeFrame, spawnNodeWorker, unpackThrown } from '../runtimes'
import type { Frame, InitMessage, RunMessage, ThrownMessage } from '../runtimes'
import type { ProcessTable } from '../processes'
import { SerializationError } from './errors'
import type { OutputFolder } from './output-folder'
import type { Task } from './task'
import { Worker } from './worker'
import type { TaskOutcome, WorkerHooks } from './worker'

export interface ModuleWorkerHooks extends WorkerHooks {
  /** The module is loaded: the first ack. */
  ready(worker: ModuleWorker): void
  /** The channel closed, or carried something else than frames, although the process lives: it cannot be used. */
  broken(worker: ModuleWorker, reason: string): void
  startFailed(worker: ModuleWorker, error: Error): void
}

export interface ModuleWorkerOptions {
  readonly module: string
  readonly nodePath: string
  readonly workerPath: string
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** Between the end of a worker's channel and its exit; a process that closes it without exiting is of no use. */
const exitAfterChannelMs = 1000

/** A persistent Node process that runs exports of one module, one task at a time, over a channel that only it has. */
export class ModuleWorker extends Worker {
  /** Its module is loaded: it has been able to take a task. */
  acked = false
  /** What the module threw while it was loaded. */
  loadError: unknown
  readonly #options: ModuleWorkerOptions
  readonly #hooks: ModuleWorkerHooks
  readonly #reader = new FrameReader((kind, task) => this.#expects(kind, task))
  #channel: Socket | undefined
  #lifeline: Socket | undefined
  #answer: TaskOutcome | undefined

  constructor(name: string, marker: string, options: ModuleWorkerOptions, hooks: ModuleWorkerHooks, folder: OutputFolder, table: ProcessTable) {
    super(name, marker, hooks, folder, table)
    this.#options = options
    this.#hooks = hooks
  }

  /** Free for a task. */
  get idle(): boolean {
    return this.status === 'idle'
  }

  get ask(): () => void {
    return () => {
      this.#channel?.end()
    }
  }

  start(): void {
    const { nodePath, workerPath, cwd, env, module } = this.#options
    let started
    try {
      started = spawnNodeWorker({ nodePath, workerPath, cwd, env })
    } catch (error) {
      // Node throws for what it can tell without trying, such as an environment that is too large.
      process.nextTick(() => { this.#hooks.startFailed(this, error as Error) })
      return
    }
    if (!('channel' in started)) {
      started.child.once('error', (error) => { this.#hooks.startFailed(this, error) })
      return
    }
    const { child, channel, lifeline, stdout, stderr } = started
    this.#channel = channel
    this.#lifeline = lifeline
    // Reported by 'exit' as well; without a listener Node would throw it.
    child.on('error', () => undefined)
    this.adopt(child, [[channel, 'channel'], [stdout, 'stdout'], [stderr, 'stderr']])
    channel.on('data', (chunk: Buffer) => { this.#onData(chunk) })
    channel.on('close', () => { this.#onChannelClosed() })
    const init: InitMessage = { module }
    channel.write(encodeFrame(FrameKind.init, 0, init))
  }

  /** Only while {@link idle}. */
  run(task: Task): void {
    const { call } = task
    if (call === null || this.#channel === undefined) throw new Error(`${this.name} cannot run ${task.label}`)
    this.beginTask(task)
    this.setStatus('busy')
    const message: RunMessage = { fn: call.fn, module: call.module, keepResult: call.keepResult, args: call.args }
    this.#channel.write(encodeFrame(FrameKind.run, task.number, message))
  }

  /** No more tasks for this one: it is asked to leave. */
  retire(): void {
    this.setStatus('stopping')
    this.ask()
  }

  override unref(): void {
    super.unref()
    this.#channel?.unref()
  }

  protected override drained(): void {
    this.#lifeline?.destroy()
    this.#deliver()
  }

  #onData(chunk: Buffer): void {
    let frames: Frame[]
    try {
      frames = this.#reader.push(chunk)
    } catch (error) {
      this.#channel?.removeAllListeners('data')
      this.#hooks.broken(this, error instanceof Error ? error.message : String(error))
      return
    }
    for (const frame of frames) this.#onFrame(frame)
  }

  /** The task of a channel that only this worker has is the one in flight; anything else was written by somebody else. */
  #expects(kind: number, task: number): boolean {
    switch (kind) {
      case FrameKind.ready:
      case FrameKind.loadFailed:
      case FrameKind.uncaught:
        return true
      case FrameKind.returned:
      case FrameKind.threw:
      case FrameKind.unserializable:
        return this.task?.number === task
      default:
        return false
    }
  }

  #onFrame(frame: Frame): void {
    switch (frame.kind) {
      case FrameKind.ready:
        if (this.acked) return
        this.acked = true
        if (this.status === 'starting') this.setStatus('idle')
        this.#hooks.ready(this)
        return
      case FrameKind.loadFailed:
        this.loadError = unpack(frame)
        return
      case FrameKind.uncaught:
        this.uncaught = unpack(frame)
        return
      case FrameKind.returned:
      case FrameKind.threw:
      case FrameKind.unserializable:
        this.#onAnswer(frame)
        return
      case FrameKind.init:
      case FrameKind.run:
        return
    }
  }

  #onAnswer(frame: Frame): void {
    const { task } = this
    if (task?.number !== frame.task) return
    this.#answer = outcomeOf(task, frame)
    // What the task printed came before its answer, but through another pipe: the rest of this turn of the event loop reads it.
    setImmediate(() => { this.#deliver() })
  }

  #deliver(): void {
    const { task } = this
    const answer = this.#answer
    if (answer === undefined || task === null) return
    this.#answer = undefined
    this.task = null
    this.tasksDone++
    void this.capture?.end()
    if (this.status === 'busy') this.setStatus('idle')
    this.hooks.taskEnded(this, task, answer)
  }

  #onChannelClosed(): void {
    if (this.exited) return
    const timer = setTimeout(() => {
      if (!this.exited && this.endRequest === null) this.#hooks.broken(this, 'it closed its channel and did not exit')
    }, exitAfterChannelMs)
    timer.unref()
  }
}

function outcomeOf(task: Task, frame: Frame): TaskOutcome {
  try {
    const value = decodePayload(frame.payload)
    if (frame.kind === FrameKind.returned) return { kind: 'returned', value }
    if (frame.kind === FrameKind.unserializable) return { kind: 'threw', error: new SerializationError(task.id, task.label, 'result', String(value)) }
    return { kind: 'threw', error: unpackThrown(value as ThrownMessage) }
  } catch (error) {
    return { kind: 'threw', error: new SerializationError(task.id, task.label, 'result', `it cannot be read here (${error instanceof Error ? error.message : String(error)})`) }
  }
}

function unpack(frame: Frame): unknown {
  try {
    return unpackThrown(decodePayload(frame.payload) as ThrownMessage)
  } catch (error) {
    return error
  }
}
