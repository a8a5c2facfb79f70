/**
 * Entry point of a module worker (`dist/node-worker.js`): one process, one task at a time, until the pool closes the channel.
 */
import { Socket } from 'node:net'
import { deserialize } from 'node:v8'
import { writeSync } from 'node:fs'
import { FrameKind, FrameReader, encodeFrame, decodePayload } from './frames'
import { channelFd, holdLifeline } from './lifeline'
import type { InitMessage, RunMessage } from './messages'
import { exportedFunctions, findExport, loadModule } from './module-exports'
import { packThrown } from './thrown'

holdLifeline()

const channel = new Socket({ fd: channelFd, readable: true, writable: true, allowHalfOpen: true })
const reader = new FrameReader()
let modulePath = ''
let running: number | undefined
let closing = false

channel.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) {
    if (frame.kind === FrameKind.init) void load(decodePayload(frame.payload) as InitMessage)
    else if (frame.kind === FrameKind.run) void run(frame.task, decodePayload(frame.payload) as RunMessage)
  }
})
// The pool asks us to leave by closing its side; a task in flight may still be answered.
channel.on('end', () => {
  closing = true
  if (running === undefined) process.exit(0)
})
// The pool is gone, or does not read any more: the lifeline ends what this cannot.
channel.on('error', () => process.exit(0))

/** A monitor only looks: whether the process ends is still up to Node and to handlers that the module may have. */
process.on('uncaughtExceptionMonitor', (error: unknown) => {
  // Half a frame may be waiting to be written; a second one in the middle of it would be worse than none.
  if (channel.writableLength > 0) return
  try {
    writeSync(channelFd, encodeFrame(FrameKind.uncaught, running ?? 0, packThrown(error)))
  } catch {
    // The pipe is full or closed: the pool still learns the exit code, and stderr has the error.
  }
})

async function load(message: InitMessage): Promise<void> {
  modulePath = message.module
  try {
    channel.write(encodeFrame(FrameKind.ready, 0, exportedFunctions(await loadModule(modulePath))))
  } catch (error) {
    channel.write(encodeFrame(FrameKind.loadFailed, 0, packThrown(error)), () => process.exit(1))
  }
}

async function run(task: number, message: RunMessage): Promise<void> {
  running = task
  const answer = await answerTo(task, message)
  await printed()
  channel.write(answer, () => {
    if (running === task) running = undefined
    if (closing && running === undefined) process.exit(0)
  })
}

async function answerTo(task: number, message: RunMessage): Promise<Buffer> {
  let value: unknown
  try {
    const path = message.module ?? modulePath
    const fn = findExport(path, await loadModule(path), message.fn)
    const args = Buffer.isBuffer(message.args) ? (deserialize(message.args) as unknown[]) : message.args
    value = await fn(...args)
  } catch (error) {
    return encodeFrame(FrameKind.threw, task, packThrown(error))
  }
  try {
    return encodeFrame(FrameKind.returned, task, message.keepResult ? value : undefined)
  } catch (error) {
    return encodeFrame(FrameKind.unserializable, task, error instanceof Error ? error.message : String(error))
  }
}

/** Resolves once what the task printed is in its pipe, so that the pool reads it before the answer. */
async function printed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    // Writes to pipes are synchronous on POSIX: there is something to wait for on Windows only.
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve))
  }
}
