import { StringDecoder } from 'node:string_decoder'
import type { Output } from '../../protocol'

/** A piece of a worker's output as it came. */
export interface OutputChunk {
  readonly worker: string
  readonly taskId: string | null
  readonly stream: 'stdout' | 'stderr'
  readonly chunk: Buffer
}

/** Size of the output that a new follower gets first; the complete output is in the files. */
export const tailBytes = 64 * 1024

/** The recent output of one pool, and its followers. Without a follower nothing is decoded. */
export class OutputFeed {
  readonly #tail: OutputChunk[] = []
  #kept = 0
  readonly #followers = new Set<(chunk: OutputChunk) => void>()

  push(chunk: OutputChunk): void {
    const last = chunk.chunk.length > tailBytes ? { ...chunk, chunk: chunk.chunk.subarray(-tailBytes) } : chunk
    this.#tail.push(last)
    this.#kept += last.chunk.length
    while (this.#kept > tailBytes) this.#kept -= this.#tail.shift()?.chunk.length ?? 0
    for (const follower of this.#followers) follower(chunk)
  }

  /** Calls back for the kept output, then for all new output, until the returned function is called. */
  follow(follower: (chunk: OutputChunk) => void): () => void {
    for (const chunk of this.#tail) follower(chunk)
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
    }
  }
}

/** How long output is gathered into one message: not felt by a person, and a thousand lines become one message. */
const gatherMs = 40
/** A message is sent early when it has this much. */
const messageBytes = 64 * 1024
/**
 * Output buffered for a client that reads more slowly than the workers write; further output is dropped and counted.
 * Large enough for a burst of tens of thousands of lines: a terminal prints some 10 MB a second.
 */
export const pendingBytes = 4 * 1024 * 1024
/** Nothing more is handed to a socket with this much unread. */
const busyBacklogBytes = 256 * 1024

/** Carries one pool's output to one client, in order, in messages of a decent size, and never more than it can take. */
export class OutputFollower {
  readonly #poolId: string
  readonly #client: { backlog(): number; send(params: Output): void }

  #pending: OutputChunk[] = []
  #pendingSize = 0
  #dropped = 0
  #timer: NodeJS.Timeout | undefined
  readonly #decoders = new Map<string, StringDecoder>()

  constructor(poolId: string, client: { backlog(): number; send(params: Output): void }) {
    this.#poolId = poolId
    this.#client = client
  }

  push(chunk: OutputChunk): void {
    this.#pending.push(chunk)
    this.#pendingSize += chunk.chunk.length
    while (this.#pendingSize > pendingBytes && this.#pending.length > 0) {
      const size = this.#pending.shift()?.chunk.length ?? 0
      this.#pendingSize -= size
      this.#dropped += size
    }
    if (this.#pendingSize >= messageBytes) this.flush()
    else
      this.#timer ??= setTimeout(() => {
        this.flush()
      }, gatherMs)
  }

  /** Sends what waits, as far as the client can take it; called again when its socket has drained. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while ((this.#pending.length > 0 || this.#dropped > 0) && this.#client.backlog() < busyBacklogBytes) {
      let size = 0
      let count = 0
      while (count < this.#pending.length && size < messageBytes) size += this.#pending[count++]?.chunk.length ?? 0
      const chunks = this.#pending.splice(0, count)
      this.#pendingSize -= size
      const dropped = this.#dropped
      this.#dropped = 0
      this.#client.send({ poolId: this.#poolId, dropped, chunks: this.#decode(chunks) })
    }
  }

  dispose(): void {
    clearTimeout(this.#timer)
    this.#pending = []
  }

  /** Joins neighbours of one stream, and holds back half a character until the rest of it comes. */
  #decode(chunks: readonly OutputChunk[]): Output['chunks'] {
    const decoded: Output['chunks'] = []
    for (const { worker, taskId, stream, chunk } of chunks) {
      const key = `${worker} ${stream}`
      let decoder = this.#decoders.get(key)
      if (!decoder) {
        // Workers come and go; the decoders of the oldest hold at most three bytes of something long past.
        if (this.#decoders.size > 256) this.#decoders.clear()
        this.#decoders.set(key, (decoder = new StringDecoder('utf8')))
      }
      const text = decoder.write(chunk)
      const last = decoded.at(-1)
      if (last?.worker === worker && last.stream === stream && last.taskId === taskId) last.text += text
      else if (text !== '') decoded.push({ worker, taskId, stream, text })
    }
    return decoded
  }
}
