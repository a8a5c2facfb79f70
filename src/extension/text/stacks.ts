import * as l10n from '@vscode/l10n'
import type { ProcessStacks } from '../../protocol'

/** Where a line of a stack document leads. */
export interface StackLink {
  readonly line: number
  readonly start: number
  readonly end: number
  readonly file: string
  /** From 1. */
  readonly fileLine: number
}

export interface StackText {
  readonly text: string
  readonly links: readonly StackLink[]
}

/**
 * The stacks of a process as Python's faulthandler prints them, the innermost frame first, and where each frame leads.
 * @param name As its row has it.
 */
export function stackText({ pid, source, threads, note }: ProcessStacks, name: string, takenAt: string): StackText {
  const lines: string[] = []
  const links: StackLink[] = []
  lines.push(l10n.t('{0}, pid {1}', oneLine(name), pid), l10n.t('Taken at {0}, {1}.', takenAt, sourceText(source)))
  if (note !== null) lines.push('', oneLine(note))
  if (threads.length === 0) lines.push('', l10n.t('No code of its own runs in it.'))
  for (const thread of threads) {
    lines.push(
      '',
      l10n.t('Thread {0} (most recent call first):', oneLine(thread.name === '' ? thread.id : thread.name)),
    )
    if (thread.frames.length === 0) lines.push(`  ${l10n.t('no frames')}`)
    for (const frame of thread.frames) {
      const file = oneLine(frame.file)
      const before = '  File "'
      const place = `${file}", line ${frame.line}`
      if (isFile(frame.file))
        links.push({
          line: lines.length,
          start: before.length,
          end: before.length + place.length,
          file: frame.file,
          fileLine: frame.line,
        })
      lines.push(`${before}${place}, in ${oneLine(frame.function)}`)
      if (frame.code.trim() !== '') lines.push(`    ${oneLine(frame.code)}`)
    }
  }
  return { text: `${lines.join('\n')}\n`, links }
}

/** `<frozen importlib._bootstrap>` and `<string>` are no files. */
function isFile(file: string): boolean {
  return /^(?:\/|[A-Za-z]:[\\/])/.test(file) && !/[\r\n]/.test(file)
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim()
}

function sourceText(source: ProcessStacks['source']): string {
  switch (source) {
    case 'observer':
      return l10n.t('told by its own interpreter')
    case 'faulthandler':
      return l10n.t('written by its faulthandler')
    case 'py-spy':
      return l10n.t('read by py-spy')
    case 'inspector':
      return l10n.t('told by its own Node')
  }
}
