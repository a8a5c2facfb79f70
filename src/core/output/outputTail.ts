/** The last bytes of a stream, at most `limit` of them. */
export class OutputTail {
  #chunks: Buffer[] = []
  #length = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    // Joining at twice the limit copies every byte once on average, and bounds how many small chunks are held.
    if (this.#length > this.#limit * 2 || this.#chunks.length > 256) this.#compact()
  }

  /** As text, beginning at a whole character. */
  text(): string {
    if (this.#length === 0) return ''
    const bytes = this.#compact()
    let start = 0
    // 10xxxxxx: inside of a character that was cut.
    while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
    return bytes.toString('utf8', start)
  }

  #compact(): Buffer {
    const all =
      this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#length)
    // A copy, not a view: a view would keep the whole chunk it came from in memory.
    const kept = all.length > this.#limit ? Buffer.from(all.subarray(all.length - this.#limit)) : all
    this.#chunks = [kept]
    this.#length = kept.length
    return kept
  }
}
