import { closeSync, readSync } from 'node:fs'
import { openOwnFile } from '../../files'

/** One process in the flight recorder; see README.md for the layout. Times are epoch milliseconds. */
export interface RecordedProcess {
  readonly slot: number
  readonly generation: number
  /** 0 = a plain Process, or the parent itself (slot 0). */
  readonly poolKey: number
  readonly pid: number
  /** Field 22 of /proc/PID/stat; 0 while unknown. */
  readonly startTicks: number
  readonly parentThreads: number
  readonly startedAt: number
  /** multiprocessing's exit code: -9 for SIGKILL. Null while it lives, as far as its parent knows. */
  readonly exitCode: number | null
  readonly exitedAt: number | null
  readonly name: string
  /** Asked for its first task. */
  readonly ready: boolean
  /** Nothing is noted of its tasks: its pool has queues, or workers, of the program's own making. */
  readonly untold: boolean
  /** Counts the tasks it has begun. */
  readonly counter: number
  readonly phase: 'idle' | 'running' | 'sending'
  readonly holds: readonly ('tasks' | 'results')[]
  /** Bytes of the pickled task that were kept; 0 = none. */
  readonly keptBytes: number
  readonly job: number
  readonly index: number
  readonly taskStartedAt: number
  /** Signal that makes it dump its stacks; 0 = none. */
  readonly stackSignal: number
  /** Empty: the parent knows it. */
  readonly label: string
  readonly unpicklableResults: number
}

/** The recorder of one parent at one moment. */
export interface Recording {
  readonly parentPid: number
  readonly parentStartTicks: number
  readonly processes: readonly RecordedProcess[]
}

const magic = 'UNHANGR1'
const tableAt = 4096
const mostSlots = 4096
/** They have 256; four times that is room for a later version, and 4 MB to be read at a look. */
const largestSlotBytes = 1024
const fileHeaderBytes = 32
/** Readings of a slot that is just being written, before it is left out: the write takes less than a microsecond. */
const tornRetries = 5

/** The file is not a flight recorder that this version reads. */
export class RecorderError extends Error {
  override readonly name = 'RecorderError'
}

/**
 * Reads the flight recorder of one parent, any number of times, while the program runs or after it was killed.
 * Synchronous: some ten microseconds of page cache.
 */
export class RecorderFile implements Disposable {
  readonly #descriptor: number
  #buffer = Buffer.alloc(0)

  /** @throws RecorderError, FileRefusedError or the file system's own error when it cannot be opened */
  constructor(readonly path: string) {
    this.#descriptor = openOwnFile(path)
    try {
      this.#header()
    } catch (error) {
      closeSync(this.#descriptor)
      throw error
    }
  }

  read(): Recording {
    const { slots, slotBytes, parentPid, parentStartTicks } = this.#header()
    const bytes = slots * slotBytes
    if (this.#buffer.length < bytes) this.#buffer = Buffer.alloc(bytes)
    const read = readSync(this.#descriptor, this.#buffer, 0, bytes, tableAt)
    const processes: RecordedProcess[] = []
    for (let slot = 0; slot < Math.floor(read / slotBytes); slot += 1) {
      const process = this.#slot(slot, slotBytes)
      if (process) processes.push(process)
    }
    return { parentPid, parentStartTicks, processes }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }

  #header(): { slots: number; slotBytes: number; parentPid: number; parentStartTicks: number } {
    const header = Buffer.alloc(fileHeaderBytes)
    const read = readSync(this.#descriptor, header, 0, fileHeaderBytes, 0)
    if (read < fileHeaderBytes || header.toString('latin1', 0, 8) !== magic)
      throw new RecorderError(`${this.path} is no flight recorder of version 1`)
    const slots = header.readUInt32LE(8)
    const slotBytes = header.readUInt32LE(12)
    if (slots > mostSlots || slotBytes < 256 || slotBytes > largestSlotBytes)
      throw new RecorderError(`${this.path} says ${slots} slots of ${slotBytes} bytes`)
    return {
      slots,
      slotBytes,
      parentPid: header.readUInt32LE(20),
      parentStartTicks: Number(header.readBigUInt64LE(24)),
    }
  }

  #slot(slot: number, slotBytes: number): RecordedProcess | undefined {
    let bytes = this.#buffer.subarray(slot * slotBytes, (slot + 1) * slotBytes)
    for (let retry = 0; isTorn(bytes) && retry < tornRetries; retry += 1) {
      readSync(this.#descriptor, bytes, 0, slotBytes, tableAt + slot * slotBytes)
      bytes = bytes.subarray(0)
    }
    return parseSlot(slot, bytes)
  }
}

function isTorn(bytes: Buffer): boolean {
  return bytes.readBigUInt64LE(96) !== bytes.readBigUInt64LE(136)
}

/** A slot that was never given away is undefined; a torn task reads as one that nobody can name (`job` -1). */
export function parseSlot(slot: number, bytes: Buffer): RecordedProcess | undefined {
  const generation = bytes.readUInt32LE(0)
  if (generation === 0) return undefined
  const torn = isTorn(bytes)
  const exited = bytes.readUInt32LE(36) !== 0
  const labelBytes = Math.min(bytes.readUInt32LE(148), 96)
  return {
    slot,
    generation,
    poolKey: bytes.readUInt32LE(4),
    pid: bytes.readUInt32LE(8),
    parentThreads: bytes.readUInt32LE(12),
    startTicks: Number(bytes.readBigUInt64LE(16)),
    startedAt: bytes.readDoubleLE(24) * 1000,
    exitCode: exited ? bytes.readInt32LE(32) : null,
    exitedAt: exited ? bytes.readDoubleLE(40) * 1000 : null,
    name: textOf(bytes.subarray(48, 96)),
    counter: Number(bytes.readBigUInt64LE(96)),
    phase: phases[bytes.readUInt8(104)] ?? 'idle',
    holds: [
      ...(bytes.readUInt8(105) === 1 ? ['tasks' as const] : []),
      ...(bytes.readUInt8(106) === 1 ? ['results' as const] : []),
    ],
    ready: bytes.readUInt8(107) !== 0,
    untold: bytes.readUInt8(107) === 2,
    keptBytes: bytes.readUInt32LE(108),
    job: torn ? -1 : Number(bytes.readBigInt64LE(112)),
    index: torn ? -1 : Number(bytes.readBigInt64LE(120)),
    taskStartedAt: bytes.readDoubleLE(128) * 1000,
    stackSignal: bytes.readUInt32LE(144),
    label: torn ? '' : textOf(bytes.subarray(160, 160 + labelBytes)),
    unpicklableResults: bytes.readUInt32LE(152),
  }
}

const phases = ['idle', 'running', 'sending'] as const

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}
