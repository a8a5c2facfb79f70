import { deserialize } from 'node:v8'
import { FrameKind, unpackRemote, unpackThrown } from '../../runtimes'
import type { ThrownMessage, UnserializableMessage } from '../../runtimes'
import type { Task } from '../tasks/task'
import { SerializationError } from '../terms/errors'
import type { TaskOutcome } from './worker'

/** Reads the payloads of the frames in which a worker answers. A payload that cannot be read is an outcome as well. */
export class AnswerReader {
  readonly #values: 'clone' | 'json'
  readonly #worker: { readonly name: string; readonly pid: number }

  /** @param values How the worker writes values: by structured clone, or as JSON. */
  constructor(values: 'clone' | 'json', worker: { readonly name: string; readonly pid: number }) {
    this.#values = values
    this.#worker = worker
  }

  /**
   * @param micros Run time of the task in the worker, microseconds.
   * @param bytes Holds the payload from `start` to `end`.
   * @param task The task that is answered.
   */
  outcome(
    kind: FrameKind,
    micros: number,
    bytes: Buffer,
    start: number,
    end: number,
    task: Task | undefined,
  ): TaskOutcome {
    try {
      if (kind === FrameKind.returnedJson)
        return {
          kind: 'returned',
          value: start === end ? undefined : JSON.parse(bytes.toString('utf8', start, end)),
          micros,
        }
      if (kind === FrameKind.returnedBytes) return { kind: 'returned', value: ownBytes(bytes, start, end), micros }
      if (kind === FrameKind.returned)
        return { kind: 'returned', value: deserialize(bytes.subarray(start, end)), micros }
      if (kind === FrameKind.threw) {
        const thrown = this.#packed(bytes.subarray(start, end))
        return { kind: 'threw', error: unpackRemote(thrown, this.#worker.name, this.#worker.pid), micros }
      }
      const { path, detail } = JSON.parse(bytes.toString('utf8', start, end)) as UnserializableMessage
      return { kind: 'threw', error: this.#unserializable(task, path, detail), micros }
    } catch (error) {
      const detail = `it cannot be read here (${error instanceof Error ? error.message : String(error)})`
      return { kind: 'threw', error: this.#unserializable(task, 'result', detail), micros }
    }
  }

  /** The value that a worker's module threw; the error of reading it where that fails. */
  thrown(payload: Buffer): unknown {
    try {
      return unpackThrown(this.#packed(payload))
    } catch (error) {
      return error
    }
  }

  #unserializable(task: Task | undefined, path: string, detail: string): SerializationError {
    return new SerializationError(task?.id ?? '', task?.label ?? this.#worker.name, 'result', path, detail)
  }

  #packed(payload: Buffer): ThrownMessage {
    return (this.#values === 'json' ? JSON.parse(payload.toString('utf8')) : deserialize(payload)) as ThrownMessage
  }
}

/** A small part of a large chunk would keep all of it in memory. */
function ownBytes(bytes: Buffer, start: number, end: number): Buffer {
  const part = bytes.subarray(start, end)
  return part.length * 2 < part.buffer.byteLength ? Buffer.from(part) : part
}
