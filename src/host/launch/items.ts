import { closeSync, openSync, readSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { glob } from 'tinyglobby'
import type { DefinitionProblem, PoolItems } from '../../protocol'

/** The items of a pool: how many, and one after the other, read as the pool gets to them where they could be many. */
export interface ItemSource {
  readonly total: number
  iterate(): Iterable<unknown>
}

export type OpenedItems = { readonly source: ItemSource } | { readonly problem: DefinitionProblem }

/** JSON.parse blocks the host for about a second for every 100 MB. */
const largestJsonBytes = 64 * 1024 * 1024

/** Looks up where the items come from; nothing is kept of files that could be large. */
export async function openItems(items: PoolItems, cwd: string): Promise<OpenedItems> {
  if (Array.isArray(items)) return { source: fromArray(items) }
  if ('glob' in items) return fromGlob(items.glob, cwd)
  if ('lines' in items) return fromLines(items.lines, cwd)
  if ('json' in items) return fromJson(items.json, cwd)
  return { source: fromRange(items.range) }
}

function fromArray(items: readonly unknown[]): ItemSource {
  return { total: items.length, iterate: () => items }
}

async function fromGlob(patterns: string | readonly string[], cwd: string): Promise<OpenedItems> {
  // Sorted, so that the same files get the same index each time.
  const files = (await glob(patterns, { cwd, expandDirectories: false })).sort()
  if (files.length > 0) return { source: fromArray(files) }
  const shown = typeof patterns === 'string' ? `"${patterns}"` : JSON.stringify(patterns)
  return {
    problem: {
      path: ['items', 'glob'], code: 'not-found',
      message: `"items.glob": no file in ${cwd} matches ${shown}. Write a pattern that is relative to that folder ("src/**/*.js"), or set "cwd".`,
    },
  }
}

async function fromLines(file: string, cwd: string): Promise<OpenedItems> {
  const path = resolve(cwd, file)
  const missing = await fileProblem(['items', 'lines'], file, path)
  if (missing) return { problem: missing }
  const total = await countLines(path)
  return { source: { total, iterate: () => filledLines(path) } }
}

/** Lines that are not empty; counted in pieces, so that a file of gigabytes does not stop the host. */
async function countLines(path: string): Promise<number> {
  let total = 0
  let filled = false
  const handle = await open(path, 'r')
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      for (const byte of chunk) {
        if (byte === newline) {
          if (filled) total += 1
          filled = false
        } else if (byte !== carriageReturn) {
          filled = true
        }
      }
    }
  } finally {
    await handle.close()
  }
  return filled ? total + 1 : total
}

const newline = 10
const carriageReturn = 13
/** Read ahead; a pool takes its items one by one. */
const lineChunkBytes = 64 * 1024

/** Synchronous, as a pool takes its items: one short read for every 64 KiB of lines. */
function* filledLines(path: string): Generator<string> {
  const descriptor = openSync(path, 'r')
  try {
    const decoder = new StringDecoder('utf8')
    const buffer = Buffer.alloc(lineChunkBytes)
    let rest = ''
    for (;;) {
      const bytes = readSync(descriptor, buffer)
      const lines = (rest + (bytes === 0 ? decoder.end() : decoder.write(buffer.subarray(0, bytes)))).split('\n')
      rest = bytes === 0 ? '' : (lines.pop() ?? '')
      for (const line of lines) {
        const text = line.endsWith('\r') ? line.slice(0, -1) : line
        if (text !== '') yield text
      }
      if (bytes === 0) return
    }
  } finally {
    closeSync(descriptor)
  }
}

async function fromJson(file: string, cwd: string): Promise<OpenedItems> {
  const path = resolve(cwd, file)
  const at = ['items', 'json']
  const missing = await fileProblem(at, file, path)
  if (missing) return { problem: missing }
  const { size } = await stat(path)
  if (size > largestJsonBytes) {
    return { problem: { path: at, code: 'unreadable', message: `"items.json": ${path} has ${size} bytes; ${largestJsonBytes} are read at most. Write one item a line and use "lines".` } }
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    return { problem: { path: at, code: 'unreadable', message: `"items.json": ${path} is no JSON (${error instanceof Error ? error.message : String(error)}). Correct the file.` } }
  }
  if (Array.isArray(parsed)) return { source: fromArray(parsed) }
  const kind = parsed === null ? 'null' : typeof parsed === 'object' ? 'an object' : `a ${typeof parsed}`
  return { problem: { path: at, code: 'wrong-type', message: `"items.json": ${path} holds ${kind}, not an array. Put the items into [ … ].` } }
}

function fromRange([start, end, step = 1]: readonly [number, number, number?]): ItemSource {
  const total = Math.max(0, Math.ceil((end - start) / step))
  return {
    total,
    *iterate() {
      // Multiplied, not added up, so that steps of 0.1 do not drift.
      for (let index = 0; index < total; index++) yield start + index * step
    },
  }
}

async function fileProblem(path: readonly string[], file: string, absolute: string): Promise<DefinitionProblem | undefined> {
  const key = path.join('.')
  try {
    // Before it is opened: opening a pipe nobody writes to waits for ever, and takes one of Node's four I/O threads with it.
    if ((await stat(absolute)).isFile()) {
      await (await open(absolute, 'r')).close()
      return undefined
    }
    return { path, code: 'not-found', message: `"${key}": ${absolute} is not a file. Write the path of a file, relative to "cwd".` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return { path, code: 'not-found', message: `"${key}": there is no file "${file}" (looked for ${absolute}). Write a path relative to "cwd".` }
    }
    return { path, code: 'unreadable', message: `"${key}": ${absolute} cannot be read (${message}).` }
  }
}
