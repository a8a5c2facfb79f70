import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** File descriptors of a persistent worker, as the pool hands them over; 5, when it is there, is the file of claims. */
export const channelFd = 3
export const lifelineFd = 4
export const claimsFd = 5

/** A persistent worker that has been started, with our ends of its pipes. */
export interface WorkerProcess {
  readonly child: ChildProcess
  readonly channel: Socket
  /** Held open for as long as our process lives: its end tells the worker that we are gone. */
  readonly lifeline: Socket
  readonly stdout: Readable
  readonly stderr: Readable
}

/** What `spawn` is to be given as `stdio`. */
export function workerStdio(claims: number | undefined): ('ignore' | 'pipe' | number)[] {
  return ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...(claims === undefined ? [] : [claims])]
}

/** Our ends of the pipes; without them it did not start, and `child` emits 'error'. */
export function workerProcess(child: ChildProcess): WorkerProcess | { readonly child: ChildProcess } {
  const channel = child.stdio[channelFd] as Socket | null | undefined
  const lifeline = child.stdio[lifelineFd] as Socket | null | undefined
  const { stdout, stderr } = child
  if (child.pid === undefined || !channel || !lifeline || !stdout || !stderr) return { child }
  lifeline.on('error', ignoreBrokenPipe)
  // Only held open: reading would keep the event loop alive for a pipe that never carries anything.
  lifeline.pause()
  lifeline.unref()
  return { child, channel, lifeline, stdout, stderr }
}

/** The worker went first. */
function ignoreBrokenPipe(): void {
  // The worker's exit is what matters, and that has its own event.
}
