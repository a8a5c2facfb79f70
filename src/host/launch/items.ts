import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { glob } from 'tinyglobby'
import type { DefinitionProblem, PoolItems } from '../../protocol'

/** The items of a pool: how many, and one after the other, read as the pool gets to them where they could be many. */
export interface ItemSource {
  readonly total: number
  iterate(): AsyncIterable<unknown> | Iterable<unknown>
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
  let total = 0
  for await (const line of linesOf(path)) if (line !== '') total += 1
  return { source: { total, iterate: () => filledLinesOf(path) } }
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })
}

async function* filledLinesOf(path: string): AsyncIterable<string> {
  for await (const line of linesOf(path)) if (line !== '') yield line
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
    const handle = await open(absolute, 'r')
    const isFile = (await handle.stat()).isFile()
    await handle.close()
    return isFile ? undefined : { path, code: 'not-found', message: `"${key}": ${absolute} is not a file. Write the path of a file, relative to "cwd".` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return { path, code: 'not-found', message: `"${key}": there is no file "${file}" (looked for ${absolute}). Write a path relative to "cwd".` }
    }
    return { path, code: 'unreadable', message: `"${key}": ${absolute} cannot be read (${message}).` }
  }
}
