#!/usr/bin/env node
// `npm run fuzz [target…] [-- --inputs N --seconds S --seed N --keep --input FILE --folder DIR]`: looks for inputs that
// crash, hang or bloat a parser.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { artifactsFolder, repositoryRoot } from '../harness/paths.mjs'
import { buildTarget } from './instrument.mjs'
import { longestInput } from './mutate.mjs'

/**
 * An input takes microseconds. A busy machine may keep the thread waiting: one that is over it runs once more, alone.
 */
const longestInputMs = 1000
const longestAloneMs = 10_000

const ownFolder = join(repositoryRoot, 'test/fuzz')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    input: { type: 'string' },
    folder: { type: 'string', default: ownFolder },
  },
})
const { folder } = values
const targets = readdirSync(join(folder, 'targets')).map((file) => basename(file, '.ts'))
const unknown = positionals.filter((name) => !targets.includes(name))
if (unknown.length > 0) {
  console.error(`No such target: ${unknown.join(', ')}. There are: ${targets.join(', ')}.`)
  process.exit(2)
}
const seconds = values.seconds === undefined ? (values.inputs === undefined ? 10 : Infinity) : Number(values.seconds)
const inputs = values.inputs === undefined ? Infinity : Number(values.inputs)

const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'unhang-fuzz-'))
process.once('exit', () => {
  rmSync(scratch, { recursive: true, force: true })
})
for (const name of positionals.length > 0 ? positionals : targets) {
  if (!(await fuzz(name))) process.exitCode = 1
}

/** @param {string} name @returns {Promise<boolean>} nothing was found */
async function fuzz(name) {
  const bundle = join(scratch, `${name}.cjs`)
  await buildTarget(join(folder, 'targets', `${name}.ts`), bundle)
  if (values.input !== undefined) {
    const outcome = await explore({ bundle, only: readFileSync(values.input) }, longestAloneMs)
    console.log(
      outcome.kind === 'done'
        ? `✓ ${name}: read as it should be`
        : `✗ ${name}: ${outcome.kind === 'hung' ? 'it hangs' : outcome.error}`,
    )
    return outcome.kind === 'done'
  }
  const corpusFolder = join(folder, 'corpus', name)
  const files = existsSync(corpusFolder) ? readdirSync(corpusFolder).sort() : []
  const corpus = files.map((file) => readFileSync(join(corpusFolder, file)))
  let outcome = await explore({ bundle, corpus, seed: Number(values.seed), inputs, seconds }, longestInputMs)
  // Was it the input, or the machine?
  if (outcome.kind === 'hung' && (await explore({ bundle, only: outcome.input }, longestAloneMs)).kind === 'done') {
    console.log(`  ${name}: one input took longer than ${longestInputMs} ms, and not so alone`)
    outcome = await explore({ bundle, corpus, seed: Number(values.seed) + 1, inputs, seconds }, longestAloneMs)
  }
  if (outcome.kind !== 'done') {
    const place = join(folder === ownFolder ? join(artifactsFolder, 'fuzz') : folder, 'found', name)
    const file = join(place, createHash('sha256').update(outcome.input).digest('hex').slice(0, 12))
    mkdirSync(place, { recursive: true })
    writeFileSync(file, outcome.input)
    const fault = outcome.kind === 'hung' ? `it hangs for more than ${longestAloneMs} ms` : outcome.error
    console.log(`✗ ${name}, input ${outcome.ran}: ${fault}\n  again: npm run fuzz ${name} -- --input ${file}`)
    return false
  }
  const { ran, ms, reached, places, fromCorpus, grownBytes, corpusLength } = outcome
  console.log(
    `✓ ${name}: ${ran} inputs in ${(ms / 1000).toFixed(1)} s, ${reached} of ${places} places reached ` +
      `(${fromCorpus} by the kept corpus of ${files.length}), ${corpusLength} inputs worth a change, memory ` +
      `${grownBytes < 0 ? '' : '+'}${(grownBytes / 2 ** 20).toFixed(1)} MiB`,
  )
  if (values.keep) keep(corpusFolder, outcome.kept)
  return true
}

/** @param {string} corpusFolder @param {Uint8Array[]} kept */
function keep(corpusFolder, kept) {
  rmSync(corpusFolder, { recursive: true, force: true })
  mkdirSync(corpusFolder, { recursive: true })
  for (const input of kept)
    writeFileSync(join(corpusFolder, createHash('sha256').update(input).digest('hex').slice(0, 12)), input)
}

/**
 * @typedef {{ kind: 'done', ran: number, ms: number, reached: number, places: number, fromCorpus: number, corpusLength:
 * number, grownBytes: number, kept: Uint8Array[] }
 *   | { kind: 'failed', ran: number, input: Uint8Array, error: string } | { kind: 'hung', ran: number, input:
 *   Uint8Array }} Outcome
 */

/** @param {Record<string, unknown>} task @param {number} limitMs @returns {Promise<Outcome>} */
async function explore(task, limitMs) {
  const state = new SharedArrayBuffer(8 + longestInput)
  const numbers = new Int32Array(state, 0, 2)
  const worker = new Worker(new URL('explore.mjs', import.meta.url), { workerData: { ...task, scratch, state } })
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => {
        reject(new Error(`the thread ended with ${code}`))
      })
      let [last, since] = [0, performance.now()]
      timer = setInterval(() => {
        const ran = Atomics.load(numbers, 0)
        if (ran !== last || ran === 0) [last, since] = [ran, performance.now()]
        else if (performance.now() - since > limitMs)
          resolve({ kind: 'hung', ran, input: new Uint8Array(state.slice(8, 8 + Atomics.load(numbers, 1))) })
      }, 50)
    })
  } finally {
    clearInterval(timer)
    await worker.terminate()
  }
}
