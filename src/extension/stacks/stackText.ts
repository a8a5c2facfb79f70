import * as l10n from '@vscode/l10n'
import type { ProcessStacks } from '../../protocol'
import { noFramesText, plainLine, stackSourceText, threadLines } from '../../words'

/** Where a line of a stack document leads. */
export interface StackLink {
  readonly line: number
  readonly start: number
  readonly end: number
  readonly file: string
  /** From 1. */
  readonly fileLine: number
}

/** A stack document: its text, and the places in it that lead to a file. */
export interface StackText {
  readonly text: string
  readonly links: readonly StackLink[]
}

/**
 * The stacks of a process as a document, and where each frame leads.
 * @param name As its row has it.
 */
export function stackText({ pid, source, threads, note }: ProcessStacks, name: string, takenAt: string): StackText {
  const lines: string[] = []
  const links: StackLink[] = []
  lines.push(
    l10n.t('{0}, pid {1}', plainLine(name), pid),
    l10n.t('Taken at {0}, {1}.', takenAt, stackSourceText(source)),
  )
  if (note !== null) lines.push('', plainLine(note))
  if (threads.length === 0) lines.push('', noFramesText())
  for (const thread of threads) {
    lines.push('')
    for (const { text, link } of threadLines(thread)) {
      if (link !== undefined) links.push({ line: lines.length, ...link })
      lines.push(text)
    }
  }
  return { text: `${lines.join('\n')}\n`, links }
}
