/**
 * Entry point of a module worker (`dist/node-worker.js`): runs one task at a time, in order of arrival, until the pool
 * closes the channel.
 */
import { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'
import { findUncloneable, inWords, isJson } from '../wire/cloneable'
import { FrameKind, FrameReader, RunFlag, gatheredBytes } from '../wire/frames'
import type { FunctionReference, InitMessage } from '../wire/messages'
import { packThrown } from '../wire/thrown'
import { Answers } from './answers'
import { claim } from './claim'
import { RunningTask } from './currentTask'
import { channelFd } from '../wire/workerProcess'
import { holdLifeline } from './lifeline'
import { exportedFunctions, findExport, loadModule } from './moduleExports'
import type { TaskFunction } from './moduleExports'
import { isThenable, runCall, runChunk } from './runTask'

/** A run that has come and not begun, or (`number` 0) a mark of the pool's. */
interface Waiting {
  readonly number: number
  readonly extra: number
  readonly kind: FrameKind
  readonly payload: Buffer
}

/** Tasks that return at once are run one after another for this long before timers and other events get their turn. */
const turnMs = 5

// Before the module is loaded, which may block indefinitely.
holdLifeline()

const channel = new Socket({ fd: channelFd, readable: true, writable: true, allowHalfOpen: true })
const answers = new Answers(channel)
const functions = new Map<number, FunctionReference>()
const resolved = new Map<number, TaskFunction>()
let waiting: Waiting[] = []
let next = 0
let working = false
let running: { readonly number: number; readonly task: RunningTask } | undefined
let closing = false
let modulePath = ''
let maxMemoryBytes = Infinity
/** A claim failed: what comes before the pool's mark has been taken back. */
let dropping = false
let overMemory = false

const reader = new FrameReader({
  accepts: (kind) => kind >= FrameKind.init && kind <= FrameKind.runBytes,
  frame(kind, number, extra, bytes, start, end) {
    switch (kind) {
      case FrameKind.init:
        void load(deserialize(bytes.subarray(start, end)) as InitMessage)
        return
      case FrameKind.define:
        functions.set(number, JSON.parse(bytes.toString('utf8', start, end)) as FunctionReference)
        return
      case FrameKind.runJson:
      case FrameKind.runClone:
      case FrameKind.runBytes:
        waiting.push({ number, extra, kind, payload: bytes.subarray(start, end) })
        return
      case FrameKind.recallMark:
        waiting.push({ number: 0, extra: 0, kind, payload: bytes })
        return
      case FrameKind.softTimeout:
        if (running?.number === number)
          running.task.softTimeout(
            Object.assign(new Error('the task has run for softTimeoutMs'), { name: 'SoftTimeoutError' }),
          )
        return
      default:
        return
    }
  },
})

channel.on('data', (chunk: Buffer) => {
  reader.push(chunk)
  work()
})
// The pool asks us to leave by closing its side; a task in flight may still be answered.
channel.on('end', () => {
  closing = true
  if (!working) process.exit(0)
})
// The pool is gone, or no longer reads. The lifeline ends the process where this does not.
channel.on('error', () => process.exit(0))

/** A monitor only looks: whether the process ends is still up to Node and to handlers that the module may have. */
process.on('uncaughtExceptionMonitor', (error: unknown) => {
  answers.lastWords(FrameKind.uncaught, running?.number ?? 0, serialize(packThrown(error)))
})

async function load(message: InitMessage): Promise<void> {
  modulePath = message.module
  maxMemoryBytes = message.maxMemoryBytes ?? Infinity
  try {
    const names = exportedFunctions(await loadModule(modulePath))
    if (message.initializer) {
      const setUp = await find(message.initializer)
      await setUp(...message.initargs)
    }
    void answers.json(FrameKind.ready, 0, 0, names)
  } catch (error) {
    await answers.bytes(FrameKind.loadFailed, 0, 0, serialize(packThrown(error)))
    process.exit(1)
  }
}

async function find({ module, name }: FunctionReference): Promise<TaskFunction> {
  const path = module ?? modulePath
  return findExport(path, await loadModule(path), name)
}

/** Runs what waits; comes back by itself after whatever it had to wait for. */
function work(): void {
  if (working) return
  working = true
  const until = performance.now() + turnMs
  for (;;) {
    const item = waiting[next]
    if (item === undefined || closing) break
    next++
    const later = step(item)
    if (later !== undefined) {
      void later.then(resume)
      return
    }
    if (performance.now() > until) {
      setImmediate(resume)
      return
    }
  }
  waiting = []
  next = 0
  working = false
  if (closing) process.exit(0)
}

function resume(): void {
  working = false
  work()
}

/** One task or mark. A promise when it is not over yet. */
function step(item: Waiting): Promise<void> | undefined {
  if (item.number === 0) {
    dropping = false
    return answers.empty(FrameKind.recalled, 0, 0)
  }
  if (overMemory || dropping) return undefined
  if ((item.extra & (RunFlag.claim << 16)) !== 0 && !claim()) {
    dropping = true
    return undefined
  }
  const id = item.extra & 0xffff
  const fn = resolved.get(id)
  return fn === undefined ? findAndRun(item, id) : run(item, fn)
}

async function findAndRun(item: Waiting, id: number): Promise<void> {
  running = { number: item.number, task: new RunningTask(item.number) }
  let fn: TaskFunction
  try {
    fn = await find(functions.get(id) ?? { module: null, name: 'default' })
  } catch (error) {
    await threw(item.number, performance.now(), error)
    return
  }
  resolved.set(id, fn)
  await run(item, fn)
}

function run(item: Waiting, fn: TaskFunction): Promise<void> | undefined {
  const { number, extra } = item
  const task = new RunningTask(number)
  running = { number, task }
  RunningTask.show(task)
  const started = performance.now()
  try {
    const args = argumentsOf(item)
    const value =
      (extra & (RunFlag.chunk << 16)) !== 0
        ? runChunk(fn, args, (extra & (RunFlag.star << 16)) !== 0)
        : runCall(fn, args)
    if (isThenable(value)) return finish(item, started, value)
    return returned(item, started, value)
  } catch (error) {
    return threw(number, started, error)
  }
}

function argumentsOf({ kind, payload }: Waiting): unknown[] {
  if (kind === FrameKind.runJson) return JSON.parse(payload.toString('utf8')) as unknown[]
  return kind === FrameKind.runBytes ? [payload] : (deserialize(payload) as unknown[])
}

async function finish(item: Waiting, started: number, promise: PromiseLike<unknown>): Promise<void> {
  try {
    await returned(item, started, await promise)
  } catch (error) {
    await threw(item.number, started, error)
  }
}

function returned({ number, extra }: Waiting, started: number, value: unknown): Promise<void> | undefined {
  const micros = over(started)
  if (value === undefined || (extra & (RunFlag.keepResult << 16)) === 0)
    return answers.empty(FrameKind.returnedJson, number, micros)
  if (isJson(value)) return answers.json(FrameKind.returnedJson, number, micros, value)
  if (Buffer.isBuffer(value) && value.length > gatheredBytes)
    return answers.bytes(FrameKind.returnedBytes, number, micros, value)
  let payload: Buffer
  try {
    payload = serialize(value)
  } catch (error) {
    const part = findUncloneable(value, 'result') ?? { path: 'result', detail: inWords(error) }
    return answers.json(FrameKind.unserializable, number, micros, part)
  }
  return answers.bytes(FrameKind.returned, number, micros, payload)
}

function threw(number: number, started: number, error: unknown): Promise<void> | undefined {
  return answers.bytes(FrameKind.threw, number, over(started), serialize(packThrown(error)))
}

/** The task has ended: what it took, in whole microseconds; looks at the memory when that is limited. */
function over(started: number): number {
  const micros = Math.min(0xffff_ffff, Math.round((performance.now() - started) * 1000))
  running = undefined
  RunningTask.show(undefined)
  if (maxMemoryBytes !== Infinity && !overMemory) {
    const bytes = process.memoryUsage.rss()
    overMemory = bytes > maxMemoryBytes
    if (overMemory) void answers.empty(FrameKind.overMemory, 0, Math.round(bytes / 2 ** 20))
  }
  return micros
}
