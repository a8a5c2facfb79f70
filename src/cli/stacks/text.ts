import type { ProcessStacks, StackThread } from '../../protocol'
import { plainPalette, type Palette } from '../output/palette'
import { plainLines } from '../output/plainText'

const sources: Readonly<Record<ProcessStacks['source'], string>> = {
  observer: 'told by its own interpreter',
  faulthandler: 'written by its faulthandler',
  'py-spy': 'read by py-spy',
  inspector: 'told by its own Node',
}

/**
 * The stacks as Python's faulthandler prints them: per thread, the innermost frame first, lines that editors and
 * terminals link.
 */
export function stacksText(stacks: ProcessStacks, palette: Palette = plainPalette): string {
  const { name, pid, source, threads, note } = plainLines(stacks)
  const head = [
    `${palette.bold(name)}  pid ${pid}  ${palette.dim(sources[source])}`,
    ...(note === null ? [] : [palette.warning(note)]),
  ]
  if (threads.length === 0) return [...head, 'no Python code runs in it'].join('\n')
  return [head.join('\n'), ...threads.map((thread) => threadText(thread, palette))].join('\n\n')
}

function threadText({ name, id, frames }: StackThread, palette: Palette): string {
  const title = `Thread ${name === '' ? id : name} (most recent call first):`
  if (frames.length === 0) return `${title}\n  no frames`
  return [
    title,
    ...frames.flatMap(({ file, line, function: called, code }) => [
      `  File "${file}", line ${line}, in ${called}`,
      ...(code.trim() === '' ? [] : [palette.dim(`    ${code.trim()}`)]),
    ]),
  ].join('\n')
}
