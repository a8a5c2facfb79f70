import { closeSync, fstatSync, ftruncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openOwnFile, readOpened } from '../../../files'
import type { ProcessIdentity, ProcessTable } from '../../../processes'
import type { KillLedger } from '../../../shutdown'
import type { StackThread } from '../members/stackThread'

/**
 * faulthandler writes from its signal handler; a process that runs gets there in microseconds, one under load in some
 * milliseconds.
 */
const patienceMs = 1000
const pollMs = 10
/**
 * It writes line by line, and may have to wait for a processor in between: what has not grown for so many looks is
 * whole.
 */
const wholeAfter = 3

/** A hundred frames of each of a thousand threads; faulthandler itself stops at a hundred of both. */
const largestStacksBytes = 16 * 1024 * 1024

/**
 * Makes a process write the stacks of all its threads, by the signal that `faulthandler` was registered for in it, and
 * reads them. Works while C code holds the GIL. Undefined when the process does not catch that signal (it would end
 * it), is stopped, or says nothing, and when the file is none of an observer's.
 * @param file In the session folder: which process has it open is asked of the kernel, and nothing is changed before
 * all is proven.
 */
export async function readSignalStack(
  file: string,
  { identity, name, signal }: { identity: ProcessIdentity; name: string; signal: number },
  { processes, kills }: { processes: ProcessTable; kills: KillLedger },
): Promise<StackThread[] | undefined> {
  let descriptor: number
  try {
    descriptor = openOwnFile(file, 'write')
  } catch {
    // It has never made one, or has put something else in its place.
    return undefined
  }
  try {
    return await askForStack(file, descriptor, { identity, name, signal }, { processes, kills })
  } finally {
    closeSync(descriptor)
  }
}

async function askForStack(
  file: string,
  descriptor: number,
  { identity, name, signal }: { identity: ProcessIdentity; name: string; signal: number },
  { processes, kills }: { processes: ProcessTable; kills: KillLedger },
): Promise<StackThread[] | undefined> {
  // Where nobody catches it, it would end the process. Looked at right before, as a process may become another program.
  const masks = await processes.signalMasks(identity)
  if (masks?.caughtNumbers.has(signal) !== true) return undefined
  // Who has closed our file may have opened one of its own under the same descriptor, and would find our stacks in it.
  if (!(await processes.hasOpen(identity, file))) return undefined
  ftruncateSync(descriptor)
  const outcome = await processes.signal(identity, signal)
  kills.record({
    at: Date.now(),
    identity,
    name,
    subjectId: name,
    signal: `signal ${signal}`,
    outcome,
    reason: 'asked for its stacks',
    askedBy: 'host',
  })
  if (outcome !== 'sent') return undefined
  let size = 0
  let same = 0
  for (const deadline = performance.now() + patienceMs; same < wholeAfter && performance.now() < deadline;) {
    await sleep(pollMs)
    const now = fstatSync(descriptor).size
    same = now > 0 && now === size ? same + 1 : 0
    size = now
  }
  // Who writes more has something else to say.
  return size === 0 || size > largestStacksBytes
    ? undefined
    : parseStacks(readOpened(file, descriptor, largestStacksBytes))
}

/** What `faulthandler` writes: `Thread 0x… (most recent call first):`, then a line a frame. */
export function parseStacks(text: string): StackThread[] {
  const threads: { id: string; current: boolean; frames: { file: string; line: number; function: string }[] }[] = []
  for (const line of text.split('\n')) {
    const thread = /^(Current thread|Thread) (0x[0-9a-f]+)/.exec(line)
    if (thread) {
      threads.push({ id: thread[2] ?? '', current: thread[1] === 'Current thread', frames: [] })
      continue
    }
    const frame = /^ {2}File "(.*)", line (\d+) in (.*)$/.exec(line)
    if (frame) threads.at(-1)?.frames.push({ file: frame[1] ?? '', line: Number(frame[2]), function: frame[3] ?? '' })
  }
  return threads
}
