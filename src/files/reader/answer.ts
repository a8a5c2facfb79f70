import { closeSync } from 'node:fs'
import { openForeignFile } from '../foreignFile'
import { readOpened } from '../ownFile'
import { FileRefusedError } from '../refused'
import { readGlob } from './readGlob'
import { readJson } from './readJson'
import { countLines } from './readLines'
import { readSources } from './readSources'
import type { ReadAnswer, ReadRequest } from './requests'

/** Reads, in this thread, and takes as long as it takes. Never throws. */
export function answerTo(request: ReadRequest): ReadAnswer {
  try {
    switch (request.kind) {
      case 'glob':
        return readGlob(request)
      case 'lines':
        return countLines(request.path)
      case 'json':
        return readJson(request)
      case 'sources':
        return readSources(request)
      case 'text':
        return readText(request)
      case 'open':
        closeSync(openForeignFile(request.path).descriptor)
        return { kind: 'open' }
    }
  } catch (error) {
    if (error instanceof FileRefusedError) return { kind: 'fault', fault: 'unreadable', reason: error.reason }
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? { kind: 'fault', fault: 'missing', reason: 'is not there' }
      : { kind: 'fault', fault: 'unreadable', reason: `cannot be read (${message})` }
  }
}

function readText({ path, mostBytes }: Extract<ReadRequest, { kind: 'text' }>): ReadAnswer {
  const { descriptor } = openForeignFile(path)
  try {
    return { kind: 'text', text: readOpened(path, descriptor, mostBytes) }
  } finally {
    closeSync(descriptor)
  }
}
