import { resolve } from 'node:path'
import { filledLines, readForeign, type ReadFault, type ReadForeign, type ReadRequest } from '../../files'
import type { DefinitionProblem, PoolItems } from '../../protocol/schemas'

/** The items of a pool: their number, and an iteration over them that reads large sources lazily. */
export interface ItemSource {
  readonly total: number
  iterate(): Iterable<unknown>
}

export type OpenedItems = { readonly source: ItemSource } | { readonly problem: DefinitionProblem }

/** How thoroughly the items are checked, and a signal that cancels the check. */
export interface ItemLook {
  /**
   * `edit`: for the diagnostics of a tasks.json, at every pause in typing. Checks that take more than a moment are left
   * to the launch.
   */
  readonly purpose: 'launch' | 'edit'
  readonly signal?: AbortSignal | undefined
  readonly read?: ReadForeign | undefined
}

/** For each purpose; the deadlines include the start of a thread on a machine that has other things to do. */
const limits = {
  launch: {
    /**
     * A client waits, and gives up after some ten seconds. A checkout of Linux has 90,000 files, walked in a second.
     */
    globMs: 5000,
    globEntries: 2_000_000,
    jsonMs: 8000,
    jsonBytes: 64 * 1024 * 1024,
    /** Of a disk that gives 200 MB a second 9 GB; clients wait for a minute. */
    linesMs: 45_000,
  },
  edit: { globMs: 1000, globEntries: 20_000, jsonMs: 1000, jsonBytes: 1024 * 1024, linesMs: 1000 },
} as const

/** Looks up where the items come from; nothing is kept of files that could be large. */
export async function openItems(items: PoolItems, cwd: string, look: ItemLook): Promise<OpenedItems> {
  if (Array.isArray(items)) return { source: fromArray(items) }
  if ('glob' in items) return fromGlob(items.glob, cwd, look)
  if ('lines' in items) return fromLines(items.lines, cwd, look)
  if ('json' in items) return fromJson(items.json, cwd, look)
  return { source: fromRange(items.range) }
}

function fromArray(items: readonly unknown[]): ItemSource {
  return { total: items.length, iterate: () => items }
}

async function fromGlob(patterns: string | readonly string[], cwd: string, look: ItemLook): Promise<OpenedItems> {
  const { globMs, globEntries } = limits[look.purpose]
  const answer = await ask({ kind: 'glob', patterns, cwd, mostEntries: globEntries }, globMs, look)
  const shown = typeof patterns === 'string' ? `"${patterns}"` : JSON.stringify(patterns)
  const path = ['items', 'glob']
  if (answer.kind === 'fault') {
    return problemUnlessUnknown(answer, look, {
      path,
      code: 'out-of-range',
      message:
        `"items.glob": ${shown} in ${cwd} ${answer.reason}. Write a pattern that begins with the folder that holds ` +
        'the files ("data/images/**/*.png"), without a link to a larger tree in it, or list the files in a file ' +
        'and use "lines".',
    })
  }
  if (answer.kind === 'glob' && answer.paths !== '') return { source: fromArray(answer.paths.split('\0')) }
  return {
    problem: {
      path,
      code: 'not-found',
      message:
        `"items.glob": no file in ${cwd} matches ${shown}. Write a pattern that is relative to that folder ` +
        '("src/**/*.js"), or set "cwd".',
    },
  }
}

async function fromLines(file: string, cwd: string, look: ItemLook): Promise<OpenedItems> {
  const path = resolve(cwd, file)
  const answer = await ask(
    { kind: look.purpose === 'edit' ? 'open' : 'lines', path },
    limits[look.purpose].linesMs,
    look,
  )
  if (answer.kind === 'fault')
    return problemUnlessUnknown(answer, look, fileProblem(['items', 'lines'], file, path, answer))
  return { source: { total: answer.kind === 'lines' ? answer.total : 0, iterate: () => filledLines(path) } }
}

async function fromJson(file: string, cwd: string, look: ItemLook): Promise<OpenedItems> {
  const path = resolve(cwd, file)
  const { jsonMs, jsonBytes } = limits[look.purpose]
  const answer = await ask({ kind: 'json', path, mostBytes: jsonBytes }, jsonMs, look)
  if (answer.kind === 'fault')
    return problemUnlessUnknown(answer, look, fileProblem(['items', 'json'], file, path, answer))
  if (answer.kind !== 'json') return { source: fromArray([]) }
  const { texts, ends } = answer
  return {
    source: {
      total: ends.length,
      *iterate() {
        const decoder = new TextDecoder()
        let start = 0
        for (const end of ends) {
          yield JSON.parse(decoder.decode(texts.subarray(start, end))) as unknown
          start = end
        }
      },
    },
  }
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

function ask(
  request: ReadRequest,
  deadlineMs: number,
  { read = readForeign, signal }: ItemLook,
): ReturnType<ReadForeign> {
  return read(request, { deadlineMs, signal })
}

/** During an edit a source beyond the limits of the check is no problem. */
function problemUnlessUnknown({ fault }: ReadFault, { purpose }: ItemLook, problem: DefinitionProblem): OpenedItems {
  const isUnknown = fault === 'aborted' || (purpose === 'edit' && (fault === 'too-large' || fault === 'too-long'))
  return isUnknown ? { source: fromArray([]) } : { problem }
}

function fileProblem(
  path: readonly string[],
  file: string,
  absolute: string,
  { fault, reason }: ReadFault,
): DefinitionProblem {
  const key = path.join('.')
  return fault === 'missing'
    ? {
        path,
        code: 'not-found',
        message: `"${key}": there is no file "${file}" (looked for ${absolute}). Write a path relative to "cwd".`,
      }
    : { path, code: 'unreadable', message: `"${key}": ${absolute} ${reason}.` }
}
