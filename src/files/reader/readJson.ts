import { closeSync } from 'node:fs'
import { openForeignFile } from '../foreignFile'
import { readOpened } from '../ownFile'
import type { ReadAnswer, ReadFault, ReadRequest } from './requests'

/** Deeper than any data; what is sent to a worker is walked by recursion. */
const deepest = 1000
/** The host reads an item when it is taken: some tenths of a second for this one. */
const largestItemBytes = 16 * 1024 * 1024

/**
 * The elements of the array in a file, each as its own JSON text: this thread parses the whole file, the host one
 * element at a time.
 */
export function readJson({ path, mostBytes }: Extract<ReadRequest, { kind: 'json' }>): ReadAnswer {
  const { descriptor, size } = openForeignFile(path)
  let text: string
  try {
    if (size > mostBytes)
      return tooLarge(`has ${size} bytes; ${mostBytes} are read at most. Write one item a line and use "lines"`)
    text = readOpened(path, descriptor, mostBytes)
  } finally {
    closeSync(descriptor)
  }
  if (isTooDeep(text)) return tooLarge(`is nested more than ${deepest} levels deep. Write its items flatter`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return {
      kind: 'fault',
      fault: 'no-json',
      reason: `is no JSON (${error instanceof Error ? error.message : String(error)}). Correct the file`,
    }
  }
  if (!Array.isArray(parsed)) {
    const kind = parsed === null ? 'null' : typeof parsed === 'object' ? 'an object' : `a ${typeof parsed}`
    return { kind: 'fault', fault: 'no-array', reason: `holds ${kind}, not an array. Put the items into [ … ]` }
  }
  return textsOf(parsed)
}

function textsOf(items: readonly unknown[]): ReadAnswer {
  const ends = new Uint32Array(items.length)
  // In UTF-8 and without white space the text has no more than three bytes for each of its characters; most have one.
  let texts = new Uint8Array(1024)
  let length = 0
  const encoder = new TextEncoder()
  for (const [index, item] of items.entries()) {
    const text = JSON.stringify(item)
    const needed = length + text.length * 3
    if (needed > texts.length) {
      const larger = new Uint8Array(Math.max(needed, texts.length * 2))
      larger.set(texts.subarray(0, length))
      texts = larger
    }
    const { written } = encoder.encodeInto(text, texts.subarray(length))
    if (written > largestItemBytes)
      return tooLarge(
        `has an item of ${written} bytes (the ${index + 1}. one); one may have ${largestItemBytes}. Keep such ` +
          'data in files of their own, and make their paths the items',
      )
    length += written
    ends[index] = length
  }
  return { kind: 'json', texts: texts.slice(0, length), ends }
}

function tooLarge(reason: string): ReadFault {
  return { kind: 'fault', fault: 'too-large', reason }
}

const quote = 0x22
const backslash = 0x5c

function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      // To the end of the string.
      for (at += 1; at < text.length && text.charCodeAt(at) !== quote; at += 1)
        if (text.charCodeAt(at) === backslash) at += 1
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1
      if (depth > deepest) return true
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1
    }
  }
  return false
}
