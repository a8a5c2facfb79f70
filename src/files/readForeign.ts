import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { ReadAnswer, ReadFault, ReadRequest } from './reader/requests'

export interface ReadLimits {
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Answers requests for files whose path comes from outside. Always settles within its time limit. Unit tests replace it
 * by one that reads in their own thread.
 */
export type ReadForeign = (request: ReadRequest, limits: ReadLimits) => Promise<ReadAnswer>

/**
 * Most threads at a time for each kind of request, so that a hundred globs of a tasks.json neither load the machine nor
 * delay a stack.
 */
const mostThreads = 2
/** The largest JSON file and the objects that are made of it. */
const mostMemoryMb = 1024

const running = new Map<ReadRequest['kind'], number>()
const threads = new Set<Worker>()
const waiting: { readonly kind: ReadRequest['kind']; readonly start: () => void }[] = []

/**
 * Reads in a separate thread, which is ended when it takes too long. Neither the event loop nor Node's four I/O threads
 * are used: the rest of the process needs them, and a dead network mount would block one for good with each attempt.
 */
export const readForeign: ReadForeign = async (request, { deadlineMs, signal }) => {
  const deadline = AbortSignal.timeout(deadlineMs)
  const given = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
  const fault = (): ReadFault =>
    signal?.aborted === true
      ? { kind: 'fault', fault: 'aborted', reason: 'is not wanted any more' }
      : { kind: 'fault', fault: 'too-long', reason: `was not read within ${deadlineMs / 1000} s` }
  if (!(await turn(request.kind, given))) return fault()
  return new Promise<ReadAnswer>((resolve) => {
    let worker: Worker
    try {
      worker = new Worker(threadPath(), {
        workerData: request,
        resourceLimits: { maxOldGenerationSizeMb: mostMemoryMb },
        execArgv: [],
      })
    } catch (error) {
      release(request.kind)
      resolve({
        kind: 'fault',
        fault: 'unreadable',
        reason:
          `could not be read: no thread could be started (${String(error)}): this user may have as many processes ` +
          'and threads as its limit allows (ulimit -u)',
      })
      return
    }
    // The thread does not keep the host running.
    worker.unref()
    threads.add(worker)
    const end = (): void => {
      resolve(fault())
      void worker.terminate()
    }
    given.addEventListener('abort', end, { once: true })
    worker.once('message', (answer: ReadAnswer) => {
      resolve(answer)
    })
    worker.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? { kind: 'fault', fault: 'too-large', reason: `needs more than ${mostMemoryMb} MB of memory to be read` }
          : { kind: 'fault', fault: 'unreadable', reason: `could not be read (${error.message})` },
      )
    })
    // A thread that hangs inside the kernel cannot be ended and keeps its slot, which bounds their number.
    worker.once('exit', () => {
      threads.delete(worker)
      given.removeEventListener('abort', end)
      release(request.kind)
      resolve({ kind: 'fault', fault: 'unreadable', reason: 'could not be read: its reader ended without a word' })
    })
  })
}

/** An idle machine needs a millisecond. */
const endWithinMs = 500

/**
 * Ends all threads that still read, before the process ends.
 * @returns false when one hangs inside the kernel (reading from a dead mount): it would hold up an ordinary exit for
 * ever.
 */
export async function endReaders(): Promise<boolean> {
  const ended = Promise.all([...threads].map((thread) => thread.terminate()))
  if (threads.size > 0) await Promise.race([ended, sleep(endWithinMs)])
  return threads.size === 0
}

/** True once a thread may be started, false when the signal comes first. */
async function turn(kind: ReadRequest['kind'], signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false
  if ((running.get(kind) ?? 0) < mostThreads) {
    running.set(kind, (running.get(kind) ?? 0) + 1)
    return true
  }
  return new Promise<boolean>((resolve) => {
    const next = {
      kind,
      start: () => {
        signal.removeEventListener('abort', giveUp)
        resolve(true)
      },
    }
    const giveUp = (): void => {
      waiting.splice(waiting.indexOf(next), 1)
      resolve(false)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    waiting.push(next)
  })
}

/** A thread has ended: its place goes to the next, or is free. */
function release(kind: ReadRequest['kind']): void {
  const at = waiting.findIndex((one) => one.kind === kind)
  if (at < 0) running.set(kind, (running.get(kind) ?? 1) - 1)
  else waiting.splice(at, 1)[0]?.start()
}

/** Beside the bundle. */
function threadPath(): string {
  return join(__dirname, 'file-reader.js')
}
