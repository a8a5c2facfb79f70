import { describe, expect, it } from 'vitest'
import type { OutputQueue } from '../../../src/cli/output/outputQueue'
import { Terminal } from '../../../src/cli/output/terminal'

function terminalOf(stderr: { isTTY?: boolean; columns?: number }): { terminal: Terminal; written: string[] } {
  const written: string[] = []
  const queue = {
    push: (fd: number, text: string) => {
      written.push(`${fd}:${text}`)
    },
  } as unknown as OutputQueue
  return { terminal: new Terminal({ isTTY: false }, stderr, {}, queue), written }
}

describe('the status line', () => {
  it('makes room for a line and comes back below it', () => {
    const { terminal, written } = terminalOf({ isTTY: true })
    terminal.showStatus('1 of 2')
    terminal.printWorkerLines([{ stream: 'stdout', text: 'hello' }])
    expect(written).toEqual(['2:\r\x1b[K1 of 2', '2:\r\x1b[K', '1:hello\n', '2:1 of 2'])
  })
  it('is not written again while it says the same', () => {
    const { terminal, written } = terminalOf({ isTTY: true })
    terminal.showStatus('1 of 2')
    terminal.showStatus('1 of 2')
    expect(written).toHaveLength(1)
  })
  it('leaves nothing behind when it goes', () => {
    const { terminal, written } = terminalOf({ isTTY: true })
    terminal.showStatus('1 of 2')
    terminal.showStatus('')
    terminal.note('done')
    expect(written.slice(1)).toEqual(['2:\r\x1b[K', '2:done\n'])
  })
  it('does not exist in a pipe', () => {
    const { terminal, written } = terminalOf({})
    terminal.showStatus('1 of 2')
    expect(written).toEqual([])
  })
})

it('sends each line of a worker to the stream it came from', () => {
  const { terminal, written } = terminalOf({})
  terminal.printWorkerLines([
    { stream: 'stderr', text: 'oops' },
    { stream: 'stdout', text: 'fine' },
  ])
  expect(written).toEqual(['2:oops\n', '1:fine\n'])
})
