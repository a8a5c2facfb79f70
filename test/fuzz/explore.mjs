// The thread that runs a target, input after input. What it is doing stands in shared memory, where fuzz.mjs sees it
// hang.
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { counters } from './instrument.mjs'
import { mutated, random } from './mutate.mjs'

/**
 * @typedef {{ bundle: string, corpus: Uint8Array[], seed: number, inputs: number, seconds: number, state:
 * SharedArrayBuffer, only?: Uint8Array }} Task
 */
const { bundle, corpus: kept, seed, inputs, seconds, state, only } = /** @type {Task} */ (workerData)
const numbers = new Int32Array(state, 0, 2)
const current = new Uint8Array(state, 8)

setFlagsFromString('--expose-gc')
const gc = /** @type {() => void} */ (runInNewContext('gc'))
const { target } = /** @type {{ target: import('./target').FuzzTarget }} */ (createRequire(import.meta.url)(bundle))

/** Inputs after which memory is as large as it gets: caches are full, the code is compiled. */
const settledAfter = 2000
/** What the corpus and the counters themselves may add after that. */
const mostGrowth = 64 * 1024 * 1024

let largest = 0
for (const name of /** @type {const} */ (['alloc', 'allocUnsafe', 'allocUnsafeSlow'])) {
  const original = /** @type {(size: number, ...rest: unknown[]) => Buffer<ArrayBuffer>} */ (Buffer[name].bind(Buffer))
  Buffer[name] = (/** @type {number} */ size, /** @type {unknown[]} */ ...rest) => {
    largest = Math.max(largest, size)
    return original(size, ...rest)
  }
}

/** @type {{ s: Record<string, number>, b: Record<string, number[]>, keys: string[], branches: string[] }[]} */
const files = Object.values(/** @type {any} */ (globalThis)[counters]).map((/** @type {any} */ one) => ({
  s: one.s,
  b: one.b,
  keys: Object.keys(one.s),
  branches: Object.keys(one.b),
}))
/** Bit n of a counter's byte: it was seen with a count in the nth class (1, 2, 3, 4 to 7, …). */
const seen = new Uint8Array(
  files.reduce(
    (sum, { keys, b, branches }) => sum + keys.length + branches.reduce((all, one) => all + (b[one]?.length ?? 0), 0),
    0,
  ),
)
let reached = 0

/** @param {number} count */
function classOf(count) {
  return count < 4 ? 1 << (count - 1) : count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128
}

/** Takes the counters and clears them. @returns {{ newPlaces: boolean, newCounts: boolean }} */
function collect() {
  let at = 0
  let newPlaces = false
  let newCounts = false
  const note = (/** @type {number} */ count) => {
    if (count > 0) {
      const bit = classOf(count)
      const before = seen[at] ?? 0
      if (before === 0) {
        newPlaces = true
        reached++
      }
      if ((before & bit) === 0) {
        newCounts = true
        seen[at] = before | bit
      }
    }
    at++
  }
  for (const { s, b, keys, branches } of files) {
    for (const key of keys) {
      note(s[key] ?? 0)
      s[key] = 0
    }
    for (const key of branches) {
      const arms = b[key] ?? []
      for (let arm = 0; arm < arms.length; arm++) {
        note(arms[arm] ?? 0)
        arms[arm] = 0
      }
    }
  }
  return { newPlaces, newCounts }
}

let ran = 0
/** @param {Buffer} input */
function run(input) {
  current.set(input.subarray(0, current.length))
  Atomics.store(numbers, 1, Math.min(input.length, current.length))
  Atomics.store(numbers, 0, ++ran)
  largest = 0
  target.run(input)
  if (largest > target.largestAllocation)
    throw new Error(`an allocation of ${largest} bytes (the limit is ${target.largestAllocation})`)
}

function memory() {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function explore() {
  const any = random(seed)
  const began = performance.now()
  const start = [...target.seeds, ...kept.map((one) => Buffer.from(one))]
  /** @type {Buffer[]} */
  const corpus = []
  /** @type {Buffer[]} those that reached a place first */
  const found = []
  // What ran while it was loaded is nothing that an input reached.
  collect()
  for (const input of start) {
    run(input)
    const { newPlaces, newCounts } = collect()
    if (newCounts) corpus.push(input)
    if (newPlaces) found.push(input)
  }
  const fromCorpus = reached
  let settled = 0
  while (ran < inputs && performance.now() - began < seconds * 1000) {
    // The latest are the least explored.
    const parent =
      any(2) === 0 ? corpus[corpus.length - 1 - any(Math.min(8, corpus.length))] : corpus[any(corpus.length)]
    const input = mutated(parent ?? Buffer.alloc(0), corpus, target.dictionary, any)
    run(input)
    const { newPlaces, newCounts } = collect()
    if (newCounts) corpus.push(input)
    if (newPlaces) found.push(input)
    if (ran === settledAfter) settled = memory()
    if (settled > 0 && ran % 10_000 === 0) {
      const grown = memory() - settled
      if (grown > mostGrowth)
        throw new Error(`after ${ran} inputs it has ${grown} bytes more than after ${settledAfter}`)
    }
  }
  const grownBytes = settled === 0 ? 0 : memory() - settled
  return {
    ran,
    ms: performance.now() - began,
    reached,
    places: seen.length,
    fromCorpus,
    corpusLength: corpus.length,
    grownBytes,
    found,
  }
}

/**
 * Inputs that reach everything these reach, in few files: each adds a place to those before it. @param {Buffer[]} found
 */
function minimised(found) {
  seen.fill(0)
  return [...found]
    .sort((a, b) => a.length - b.length)
    .filter((input) => {
      run(input)
      return collect().newPlaces
    })
}

try {
  if (only) {
    run(Buffer.from(only))
    parentPort?.postMessage({ kind: 'done', ran: 1 })
  } else {
    const { found, ...figures } = explore()
    parentPort?.postMessage({ kind: 'done', ...figures, kept: minimised(found) })
  }
} catch (error) {
  parentPort?.postMessage({
    kind: 'failed',
    ran,
    input: Buffer.from(current.subarray(0, Atomics.load(numbers, 1))),
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
}
