import { closeSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { openForeignFile } from '../foreignFile'
import { readOpened } from '../ownFile'
import type { ReadAnswer, ReadRequest } from './requests'

/** Larger than any source that a person wrote; generated ones of this size have no line worth showing. */
const largestSourceBytes = 4 * 1024 * 1024
/** Of all sources of one stack together. */
const mostBytes = 64 * 1024 * 1024
/** A line is shown in one row. */
const longestLine = 500

/**
 * Lines of source files that the frames of a stack name. The names come from the program, so lines that cannot be read
 * are left out without an error.
 */
export function readSources({ wanted }: Extract<ReadRequest, { kind: 'sources' }>): ReadAnswer {
  let left = mostBytes
  const found = wanted.flatMap(({ path, lines }) => {
    const text = textOf(path, Math.min(left, largestSourceBytes))
    if (text === undefined) return []
    left -= text.length
    const all = text.split('\n')
    return [
      {
        path,
        lines: lines.flatMap((number) => {
          const line = all[number - 1]
          return line === undefined ? [] : [{ number, text: line.trim().slice(0, longestLine) }]
        }),
      },
    ]
  })
  return { kind: 'sources', found }
}

function textOf(path: string, most: number): string | undefined {
  // `<string>`, `<frozen importlib>`, or relative to the program's folder at that time, which is not known.
  if (!isAbsolute(path)) return undefined
  try {
    const { descriptor } = openForeignFile(path)
    try {
      return readOpened(path, descriptor, most)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    // Missing, not readable, no file, or too large: the frame is shown without its line.
    return undefined
  }
}
