import { readFile, stat, truncate } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessIdentity, ProcessTable } from '../../processes'
import type { KillLedger } from '../../shutdown'

export interface StackThread {
  readonly id: string
  readonly current: boolean
  readonly frames: readonly { readonly file: string; readonly line: number; readonly function: string }[]
}

/** faulthandler writes from its signal handler; a process that runs gets there in microseconds, one under load in some milliseconds. */
const patienceMs = 1000
const pollMs = 10
/** It writes line by line, and may have to wait for a processor in between: what has not grown for so many looks is whole. */
const wholeAfter = 3

/**
 * Makes a process write the stacks of all its threads, by the signal that `faulthandler` was registered for in it, and reads them.
 * Works while C code holds the GIL. Undefined when the process does not catch that signal (it would end it), is stopped, or says nothing.
 */
export async function readSignalStack(
  file: string, { identity, name, signal }: { identity: ProcessIdentity; name: string; signal: number }, { processes, kills }: { processes: ProcessTable; kills: KillLedger },
): Promise<StackThread[] | undefined> {
  try {
    await truncate(file)
  } catch {
    return undefined
  }
  // Where nobody catches it, it would end the process. Looked at right before, as a process may become another program.
  const masks = await processes.signalMasks(identity)
  if (masks?.caughtNumbers.has(signal) !== true) return undefined
  // Who has closed our file may have opened one of its own under the same descriptor, and would find our stacks in it.
  if (!(await processes.hasOpen(identity, file))) return undefined
  const outcome = await processes.signal(identity, signal)
  kills.record({ at: Date.now(), identity, name, subjectId: name, signal: `signal ${signal}`, outcome, reason: 'asked for its stacks', askedBy: 'host' })
  if (outcome !== 'sent') return undefined
  let size = 0
  let same = 0
  for (const deadline = Date.now() + patienceMs; same < wholeAfter && Date.now() < deadline;) {
    await sleep(pollMs)
    const now = await stat(file).then((found) => found.size, () => 0)
    same = now > 0 && now === size ? same + 1 : 0
    size = now
  }
  return size === 0 ? undefined : parseStacks(await readFile(file, 'utf8'))
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
