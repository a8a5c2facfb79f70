// How one input becomes the next. Everything comes from one seed, so that a run can be repeated.

/** @param {number} seed @returns {(below: number) => number} a whole number from 0, mulberry32 */
export function random(seed) {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Longer inputs find no more, and cost. */
export const longestInput = 16 * 1024
const boundaries = [
  0,
  1,
  2,
  7,
  8,
  15,
  16,
  31,
  32,
  63,
  64,
  100,
  127,
  128,
  255,
  256,
  512,
  1000,
  1024,
  4095,
  4096,
  4097,
  32767,
  32768,
  65535,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
]

/**
 * @param {Buffer} input @param {readonly Buffer[]} corpus @param {readonly Buffer[]} dictionary @param {(below: number)
 * => number} any
 * @returns {Buffer} a new one, after one to eight changes
 */
export function mutated(input, corpus, dictionary, any) {
  /** @type {Buffer} */
  let bytes = Buffer.from(input)
  for (let changes = 1 << any(4); changes > 0; changes--) bytes = changed(bytes, corpus, dictionary, any)
  return bytes.length > longestInput ? bytes.subarray(0, longestInput) : bytes
}

/**
 * @param {Buffer} bytes @param {readonly Buffer[]} corpus @param {readonly Buffer[]} dictionary @param {(below: number)
 * => number} any @returns {Buffer}
 */
function changed(bytes, corpus, dictionary, any) {
  const at = any(bytes.length + 1)
  const put = (/** @type {Buffer} */ piece, replaces = 0) =>
    Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(Math.min(at + replaces, bytes.length))])
  const word = dictionary[any(dictionary.length)] ?? Buffer.alloc(1)
  const length = 1 + any(1 << (1 + any(8)))
  switch (any(11)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << any(8))
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = any(256)
      return bytes
    case 2:
      return put(Buffer.alloc(0), length)
    case 3:
      return put(Buffer.from(Array.from({ length: Math.min(length, 32) }, () => any(256))))
    case 4:
      return put(bytes.subarray(at, at + length))
    case 5:
      return put(word)
    case 6:
      return put(word, word.length)
    case 7: {
      const number = Buffer.alloc(4)
      const value = boundaries[any(boundaries.length)] ?? 0
      if (any(2) === 0) number.writeUInt32LE(value)
      else number.writeUInt32BE(value)
      return put(number, 4)
    }
    case 8:
      return put(Buffer.from(String(boundaries[any(boundaries.length)])), any(4))
    case 9: {
      const other = corpus[any(corpus.length)] ?? bytes
      return put(other.subarray(any(other.length + 1)), bytes.length)
    }
    default: {
      const other = corpus[any(corpus.length)] ?? bytes
      const from = any(other.length + 1)
      return put(other.subarray(from, from + length))
    }
  }
}
