import { closeSync, fstatSync, readSync } from 'node:fs'
import * as z from 'zod'
import { FileRefusedError, openOwnFile } from '../../../files'

/**
 * What the observer in a Node process wrote down; see src/runtimes/observer/README.md, "Node programs". Times are epoch
 * milliseconds.
 */
const ticks = z.number().int().nonnegative().nullable()
const pid = z.number().int().min(2)
const noteSchema = z.union([
  z.object({ hello: pid, ticks, node: z.string().max(100), stacks: z.boolean() }).transform((note) => ({
    kind: 'hello' as const,
    pid: note.hello,
    ticks: note.ticks,
    node: note.node,
    stacks: note.stacks,
  })),
  z.object({ started: pid, ticks, at: z.number(), argv: z.array(z.string()).min(1).max(100) }).transform((note) => ({
    kind: 'started' as const,
    pid: note.started,
    ticks: note.ticks,
    at: note.at,
    argv: note.argv,
  })),
  z
    .object({
      ended: pid,
      ticks,
      at: z.number(),
      exitCode: z.number().int().nullable(),
      signal: z.string().max(20).nullable(),
    })
    .transform((note) => ({
      kind: 'ended' as const,
      pid: note.ended,
      ticks: note.ticks,
      at: note.at,
      exitCode: note.exitCode,
      signal: note.signal,
    })),
  z.object({ takes: z.literal('SIGUSR1') }).transform(() => ({ kind: 'takes-sigusr1' as const })),
])

/** One line of the notes. */
export type NodeNote = z.infer<typeof noteSchema>

/** Read at a time; the rest comes with the next look. A line is shorter by far. */
const mostBytes = 1024 * 1024

/**
 * Reads the notes of one Node process as they are appended, while it runs and after it was killed. Lines that are no
 * notes are left out.
 */
export class NodeNotesFile {
  #offset = 0

  constructor(readonly path: string) {}

  /**
   * What was appended since the last call; empty when there is no such file, or none that an observer makes.
   * @param budget What may be read: it is lowered by what was. The rest comes with the next call.
   */
  read(budget = { lines: Infinity, bytes: Infinity }): NodeNote[] {
    return this.#appended(budget)
      .split('\n')
      .flatMap((line) => parseNote(line) ?? [])
  }

  #appended(budget: { lines: number; bytes: number }): string {
    let file: number
    try {
      file = openOwnFile(this.path)
    } catch (error) {
      // A program that puts something else in its place is the one whose children are not seen.
      if (error instanceof FileRefusedError || (error as NodeJS.ErrnoException).code === 'ENOENT') return ''
      throw error
    }
    try {
      const size = Math.min(fstatSync(file).size - this.#offset, mostBytes)
      if (size <= 0) return ''
      const bytes = Buffer.alloc(size)
      const read = readSync(file, bytes, 0, size, this.#offset)
      // Whole lines only; what has none in all that was read is nothing of ours.
      let end = 0
      for (
        let next = bytes.indexOf(0x0a);
        next >= 0 && next < read && budget.lines > 0;
        next = bytes.indexOf(0x0a, end)
      ) {
        end = next + 1
        budget.lines -= 1
      }
      const taken = end > 0 ? end : read === mostBytes ? read : 0
      this.#offset += taken
      budget.bytes -= read
      return bytes.toString('utf8', 0, taken)
    } finally {
      closeSync(file)
    }
  }
}

/** Undefined for what is no note: half a line of a process that was killed, or a later version's. */
export function parseNote(line: string): NodeNote | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
