import * as l10n from '@vscode/l10n'
import type { ProcessStacks, StackThread } from '../protocol'
import { plainLine } from './plainText'

/** A line of a thread's stack. */
export interface StackLine {
  readonly text: string
  /** Code of the program, which supports the line above it. */
  readonly isCode: boolean
  /** Where the line leads: the characters from `start` to `end` stand for a line of a file. */
  readonly link?: { readonly start: number; readonly end: number; readonly file: string; readonly fileLine: number }
}

/** A thread as Python's faulthandler prints it, the innermost frame first: lines that editors and terminals link. */
export function threadLines({ name, id, frames }: StackThread): StackLine[] {
  const lines = [line(l10n.t('Thread {0} (most recent call first):', oneLine(name === '' ? id : name)))]
  if (frames.length === 0) lines.push(line(`  ${l10n.t('no frames')}`))
  for (const frame of frames) {
    const before = '  File "'
    const place = `${oneLine(frame.file)}", line ${frame.line}`
    const text = `${before}${place}, in ${oneLine(frame.function)}`
    const [start, end] = [before.length, before.length + place.length]
    lines.push(
      isFile(frame.file)
        ? { text, isCode: false, link: { start, end, file: frame.file, fileLine: frame.line } }
        : line(text),
    )
    if (frame.code.trim() !== '') lines.push({ text: `    ${oneLine(frame.code)}`, isCode: true })
  }
  return lines
}

/** Stands in place of the threads of a process that has none. */
export function noFramesText(): string {
  return l10n.t('No Python or JavaScript frames.')
}

/** What took the stacks. */
export function stackSourceText(source: ProcessStacks['source']): string {
  switch (source) {
    case 'observer':
      return l10n.t('source: in-process observer')
    case 'faulthandler':
      return l10n.t('source: faulthandler')
    case 'py-spy':
      return l10n.t('source: py-spy')
    case 'inspector':
      return l10n.t('source: Node.js inspector')
  }
}

function line(text: string): StackLine {
  return { text, isCode: false }
}

/** `<frozen importlib._bootstrap>` and `<string>` are no files. */
function isFile(file: string): boolean {
  return /^(?:\/|[A-Za-z]:[\\/])/.test(file) && !/[\r\n]/.test(file)
}

function oneLine(text: string): string {
  return plainLine(text).trim()
}
