import type { ProcessStacks, StackThread } from '../../protocol'
import { noFramesText, plainLines, stackSourceText, threadLines } from '../../words'
import { plainPalette, type Palette } from '../output/palette'

/** The stacks of a process: what took them, then each thread as Python's faulthandler prints it. */
export function stacksText(stacks: ProcessStacks, palette: Palette = plainPalette): string {
  const { name, pid, source, threads, note } = plainLines(stacks)
  const head = [
    `${palette.bold(name)}  pid ${pid}  ${palette.dim(stackSourceText(source))}`,
    ...(note === null ? [] : [palette.warning(note)]),
  ]
  if (threads.length === 0) return [...head, noFramesText()].join('\n')
  return [head.join('\n'), ...threads.map((thread) => threadText(thread, palette))].join('\n\n')
}

function threadText(thread: StackThread, palette: Palette): string {
  return threadLines(thread)
    .map(({ text, isCode }) => (isCode ? palette.dim(text) : text))
    .join('\n')
}
