import { closeSync, readSync } from 'node:fs'
import { LineGuard } from '../filledLines'
import { openForeignFile } from '../foreignFile'
import type { ReadAnswer } from './requests'

/** Larger than for reading lines one by one: nothing waits for this thread. */
const chunkBytes = 1024 * 1024
const newline = 10
const carriageReturn = 13

/**
 * Counts the lines that are not empty, as `filledLines` gives them, up to the present size of the file, so that
 * counting a growing file ends.
 */
export function countLines(path: string): ReadAnswer {
  const { descriptor, size } = openForeignFile(path)
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes)
    const guard = new LineGuard(path)
    let total = 0
    /** Of the line that is being read; a lone carriage return does not fill it. */
    let length = 0
    let last = 0
    const isFilled = (): boolean => length > 1 || (length === 1 && last !== carriageReturn)
    for (let at = 0; at < size;) {
      const read = readSync(descriptor, buffer, 0, Math.min(chunkBytes, size - at), at)
      if (read === 0) break
      at += read
      const chunk = buffer.subarray(0, read)
      let start = 0
      const take = (end: number): void => {
        if (end > start) last = chunk[end - 1] ?? 0
        length += end - start
      }
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        take(end)
        guard.passed(end - start, isFilled())
        if (isFilled()) total += 1
        length = 0
        start = end + 1
      }
      take(read)
      if (start < read) guard.passed(read - start, undefined)
    }
    return { kind: 'lines', total: isFilled() ? total + 1 : total }
  } finally {
    closeSync(descriptor)
  }
}
