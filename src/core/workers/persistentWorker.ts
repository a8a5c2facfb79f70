import type { Socket } from 'node:net'
import { FrameKind, FrameReader, FrameWriter } from '../../runtimes'
import type { ClaimFile } from '../../runtimes'
import type { ProcessTable } from '../../processes'
import type { OutputFolder } from '../output/outputFolder'
import type { Task } from '../tasks/task'
import { AnswerReader } from './answerReader'
import { MarkTimer } from './markTimer'
import { outliveWriteErrors } from './outliveWriteErrors'
import type { PersistentRuntime } from './persistentRuntime'
import type { PersistentWorkerHooks } from './persistentWorkerHooks'
import { TaskWriter } from './taskWriter'
import { Worker } from './worker'
import type { TaskOutcome } from './worker'

/** Between the end of a worker's channel and its exit; a process that closes it without exiting is of no use. */
const exitAfterChannelMs = 1000
/**
 * More than this is not sent ahead, in bytes of arguments: it would wait in our memory for a worker that does not read.
 */
const mostAheadBytes = 256 * 1024

/**
 * A persistent process that runs functions of one module, one task at a time and in order, over a channel that only it
 * has. Short tasks may be sent ahead: {@link task} is the one that runs, the others are {@link recall}ed when it takes
 * long.
 */
export class PersistentWorker extends Worker {
  /** Its module is loaded: it has been able to take a task. */
  acked = false
  /** What the module threw while it was loaded. */
  loadError: unknown
  /** It has more memory than it may: MiB. */
  overMemoryMib: number | null = null
  /** How many tasks it has been sent and not handed back. */
  sent = 0
  /** The running task at the last look of the workerSet: the same one twice is slow. */
  lastSeen: Task | null = null
  idleSince = 0
  readonly #runtime: PersistentRuntime
  readonly #hooks: PersistentWorkerHooks<PersistentWorker>
  readonly #claims: ClaimFile | undefined
  readonly #answerReader: AnswerReader
  readonly #reader = new FrameReader({
    accepts: (kind, number) => this.#expects(kind, number),
    frame: (kind, _number, extra, bytes, start, end) => {
      this.#onFrame(kind, extra, bytes, start, end)
    },
  })
  readonly #writer = new FrameWriter((bytes, payload) => {
    this.#write(bytes, payload)
  })
  readonly #taskWriter: TaskWriter
  #channel: Socket | undefined
  #lifeline: Socket | undefined
  /** Sent and not answered, in order; the first of them runs. */
  #inFlight: Task[] = []
  #aheadBytes = 0
  #recalling = false
  /** The last that was written is the one task it has, which it was sent with nothing to do. */
  #headIsLast = false
  /** We wrote to nobody: it had gone before. */
  #wroteToNobody = false
  /** Read, but not delivered: of the first tasks in flight. */
  #answers: TaskOutcome[] = []
  #deliverySoon = false
  readonly #mark = new MarkTimer((waitedMs) => {
    if (!this.#recalling || this.exited || this.endRequest !== null) return
    this.#hooks.broken(this, `it has no task and did not answer for ${waitedMs} ms`)
  })

  constructor(
    name: string,
    marker: string,
    runtime: PersistentRuntime,
    claims: ClaimFile | undefined,
    hooks: PersistentWorkerHooks<PersistentWorker>,
    folder: OutputFolder,
    table: ProcessTable,
  ) {
    super(name, marker, hooks, folder, table)
    this.#runtime = runtime
    this.#answerReader = new AnswerReader(runtime.values, this)
    this.#taskWriter = new TaskWriter(this.#writer, runtime.values)
    this.#claims = claims
    this.#hooks = hooks
  }

  get ask(): () => void {
    return () => {
      this.#channel?.end()
    }
  }

  /** Answers of it have been read and not been delivered yet. */
  get hasAnswered(): boolean {
    return this.#answers.length > 0
  }

  /** Tasks with it, the running one included. */
  get load(): number {
    return this.#inFlight.length
  }

  /** True when a short task may be sent behind those that it has. */
  get takesAhead(): boolean {
    return (
      this.status === 'busy' &&
      !this.#recalling &&
      this.overMemoryMib === null &&
      this.#aheadBytes < mostAheadBytes &&
      this.#claims?.hasRoom === true
    )
  }

  start(): void {
    let started
    try {
      started = this.#runtime.spawn(this.#claims?.fd, this.marker)
    } catch (error) {
      process.nextTick(() => {
        this.#startFailed(error as Error)
      })
      return
    }
    if (!('channel' in started)) {
      started.child.once('error', (error) => {
        this.#startFailed(error)
      })
      return
    }
    const { child, channel, lifeline, stdout, stderr } = started
    this.#channel = channel
    this.#lifeline = lifeline
    outliveWriteErrors(channel, ({ code }) => {
      this.#wroteToNobody ||= code === 'EPIPE'
    })
    // Reported by 'exit' as well; without a listener Node would throw it.
    child.on('error', () => undefined)
    this.adopt(child, [
      [channel, 'channel'],
      [stdout, 'stdout'],
      [stderr, 'stderr'],
    ])
    channel.on('data', this.#onData.bind(this))
    channel.on('close', this.#onChannelClosed.bind(this))
    this.#writer.bytes(FrameKind.init, 0, 0, this.#runtime.init)
    this.flush()
  }

  /** Sends a task; to be followed by {@link flush}. Idle, or while it {@link takesAhead}. */
  send(task: Task): void {
    const { fn, args } = task
    if (fn === null || args === null) throw new Error(`${this.name} cannot run ${task.label}`)
    const ahead = this.#inFlight.length > 0
    if (ahead) this.#claims?.grant()
    if (ahead && Buffer.isBuffer(args)) this.#aheadBytes += args.length
    this.#taskWriter.write(task, fn, args, ahead)
    this.#inFlight.push(task)
    this.#headIsLast = !ahead
    this.sent++
    if (!ahead) this.#begin(task)
  }

  flush(): void {
    this.#writer.flush()
  }

  /** Takes back what was sent ahead and has not begun, at once, whatever the worker is doing. In order. */
  recall(): Task[] {
    const back = this.#takeBack()
    if (back.length > 0 && !this.exited) {
      this.#recalling = true
      this.#headIsLast = false
      this.#writer.text(FrameKind.recallMark, 0, 0, '')
      this.flush()
      this.#expectMark()
    }
    return back
  }

  override has(task: Task): boolean {
    return this.#inFlight.includes(task)
  }

  override isAt(task: Task): boolean {
    return this.#inFlight.at(-1) === task
  }

  softTimeout(task: Task): void {
    this.#headIsLast = false
    this.#writer.text(FrameKind.softTimeout, task.number, 0, '')
    this.flush()
  }

  /** No more tasks for this one: it is asked to leave. */
  retire(): void {
    this.setStatus('stopping')
    this.ask()
  }

  override stopping(): void {
    super.stopping()
    const back = this.recall()
    if (back.length === 0) return
    this.#hooks.handedBack(back)
    // Others may be idle, and this one may survive.
    this.#hooks.hungry(this)
  }

  override unref(): void {
    super.unref()
    this.#channel?.unref()
  }

  protected override drained(): void {
    this.#lifeline?.destroy()
    this.#mark.stop()
    this.#deliver()
    const back = [...this.#takeBackHead(), ...this.#takeBack()]
    const [begun] = this.#inFlight
    // It had begun, which nobody had told us yet: its predecessor's answer came with the end.
    if (begun !== undefined && this.task === null) this.#begin(begun)
    // More than one only when its channel could not be read to the end: whether they are done, nobody can tell any
    // more.
    this.unknown.push(...this.#inFlight.slice(1))
    this.#claims?.close()
    if (back.length > 0) this.#hooks.handedBack(back)
  }

  #write(bytes: Buffer, payload: Buffer | undefined): void {
    const channel = this.#channel
    // Once it was asked to leave, our side is closed; a write would then destroy the channel, with answers that are on
    // their way.
    if (channel?.writable !== true) {
      this.#wroteToNobody = true
      return
    }
    // A large payload goes with its header, in one system call.
    if (payload) channel.cork()
    channel.write(bytes)
    if (payload) channel.write(payload)
    if (payload) channel.uncork()
  }

  #startFailed(error: Error): void {
    this.#claims?.close()
    this.#hooks.startFailed(this, error)
  }

  /** The task that was sent to a worker with nothing to do, when that had died already and we had not heard of it. */
  #takeBackHead(): Task[] {
    if (!this.#wroteToNobody || !this.#headIsLast || this.#inFlight.length !== 1) return []
    this.task = null
    this.sent--
    return this.#inFlight.splice(0)
  }

  #takeBack(): Task[] {
    if (this.#claims === undefined || this.#inFlight.length === 0) return []
    const unclaimed = this.#claims.recall()
    if (unclaimed === 0) return []
    const back = this.#inFlight.splice(this.#inFlight.length - unclaimed)
    this.sent -= back.length
    // We took it for running, since everything before it is answered; it was not.
    if (this.task !== null && back.includes(this.task)) this.task = null
    return back
  }

  #begin(task: Task): void {
    this.beginTask(task)
    if (this.status === 'idle') this.setStatus('busy')
    this.#hooks.taskBegan(this, task)
  }

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#channel?.removeAllListeners('data')
      this.#hooks.broken(this, error instanceof Error ? error.message : String(error))
    }
  }

  /** Tasks are answered in the order they were sent; anything else was written by somebody else. */
  #expects(kind: number, number: number): boolean {
    switch (kind) {
      case FrameKind.ready:
      case FrameKind.loadFailed:
      case FrameKind.uncaught:
      case FrameKind.overMemory:
        return true
      case FrameKind.recalled:
        return this.#recalling
      case FrameKind.returnedJson:
      case FrameKind.returned:
      case FrameKind.returnedBytes:
      case FrameKind.threw:
      case FrameKind.unserializable:
        return this.#inFlight[this.#answers.length]?.number === number
      default:
        return false
    }
  }

  #onFrame(kind: FrameKind, extra: number, bytes: Buffer, start: number, end: number): void {
    switch (kind) {
      case FrameKind.ready:
        if (this.acked) return
        this.acked = true
        if (this.status === 'starting') this.setStatus('idle')
        this.#hooks.ready(this)
        return
      case FrameKind.loadFailed:
        this.loadError = this.#answerReader.thrown(bytes.subarray(start, end))
        return
      case FrameKind.uncaught:
        this.uncaught = this.#answerReader.thrown(bytes.subarray(start, end))
        return
      case FrameKind.overMemory:
        this.overMemoryMib = extra
        return
      case FrameKind.recalled:
        this.#recalling = false
        this.#mark.stop()
        this.#deliverSoon()
        return
      case FrameKind.returnedJson:
      case FrameKind.returned:
      case FrameKind.returnedBytes:
      case FrameKind.threw:
      case FrameKind.unserializable:
        this.#answers.push(
          this.#answerReader.outcome(kind, extra, bytes, start, end, this.#inFlight[this.#answers.length]),
        )
        this.#deliverSoon()
        return
      case FrameKind.init:
      case FrameKind.define:
      case FrameKind.runJson:
      case FrameKind.runClone:
      case FrameKind.softTimeout:
      case FrameKind.recallMark:
      case FrameKind.runBytes:
        return
    }
  }

  /**
   * What the tasks printed came before their answers, but through another pipe: the rest of this turn of the event loop
   * reads it.
   */
  #deliverSoon(): void {
    if (this.#deliverySoon) return
    this.#deliverySoon = true
    setImmediate(() => {
      this.#deliverySoon = false
      if (this.exited) return
      // It starts nothing after the task that it has just answered, and drops what it holds.
      if (this.overMemoryMib !== null) this.#hooks.handedBack(this.recall())
      this.#deliver()
      this.#expectMark()
      if (this.#inFlight.length === 0 && !this.#recalling && this.status === 'busy') this.setStatus('idle')
      this.#hooks.hungry(this)
    })
  }

  #deliver(): void {
    const answers = this.#answers
    if (answers.length === 0) return
    this.#answers = []
    const tasks = this.#inFlight.splice(0, answers.length)
    for (const [at, answer] of answers.entries()) {
      const task = tasks[at]
      if (task === undefined) break
      if (this.task === null) this.#begin(task)
      this.task = null
      this.tasksDone++
      if (this.capture) void this.capture.end()
      this.hooks.taskEnded(this, task, answer)
    }
    const [next] = this.#inFlight
    if (next === undefined) this.#aheadBytes = 0
    else if (!this.exited) this.#begin(next)
  }

  /** A worker that has no task, and gets none before it has answered the mark, must answer it. */
  #expectMark(): void {
    if (this.#recalling && this.#inFlight.length === 0) this.#mark.start()
  }

  #onChannelClosed(): void {
    if (this.exited) return
    const timer = setTimeout(() => {
      if (!this.exited && this.endRequest === null) this.#hooks.broken(this, 'it closed its channel and did not exit')
    }, exitAfterChannelMs)
    timer.unref()
  }
}
