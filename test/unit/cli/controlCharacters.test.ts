import { describe, expect, it } from 'vitest'
import { printJson } from '../../../src/cli/commands/context'
import { resolveTarget } from '../../../src/cli/ending/targets'
import { CliError, DefinitionError, errorText } from '../../../src/cli/errors'
import type { OutputQueue } from '../../../src/cli/output/outputQueue'
import { paletteFor } from '../../../src/cli/output/palette'
import { Terminal } from '../../../src/cli/output/terminal'
import { failuresTable } from '../../../src/cli/pool/failuresTable'
import { poolOutcome } from '../../../src/cli/pool/outcome'
import { progressLine } from '../../../src/cli/pool/progress'
import { StuckNotes } from '../../../src/cli/pool/stuckNotes'
import { psText } from '../../../src/cli/ps/text'
import { counts, failure, noProgress, pool, task, worker } from './snapshotBuilders'

/**
 * Retitles the terminal, clears it, goes to the line's start, colours what follows (in both ways to write it), and
 * fakes a line.
 */
const evil = 'x\u001b]0;title\u0007\u001b[2J\r\u009b31m\u001b[31m\ny'
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

const evilVerdict = { ...noProgress, summary: evil, advice: evil, evidence: [{ what: evil, value: evil }] }
const evilPool = pool({
  name: evil,
  failure: evil,
  issues: [evil],
  counts: counts({ running: 1, stuck: 1 }),
  exitedWorkerCount: 1,
  workers: [
    worker({ name: evil, status: 'busy', task: task({ label: evil, stuck: true, verdict: evilVerdict }) }),
    worker({ name: `${evil}2`, status: 'exited', exitCode: 1, task: task({ id: 't2', label: evil, state: 'lost' }) }),
  ],
})

function terminalOf(): { terminal: Terminal; written: string[] } {
  const written: string[] = []
  const queue = {
    push: (_fd: number, text: string) => {
      written.push(text)
    },
  } as unknown as OutputQueue
  return { terminal: new Terminal({ isTTY: true }, { isTTY: true }, {}, queue), written }
}

describe('control characters of names, labels and messages', () => {
  it.each<[string, () => readonly string[]]>([
    ['ps', () => psText([evilPool], { all: true }).split('\n')],
    ['the last line of a pool that failed', () => [poolOutcome(evilPool, 5000).line]],
    [
      'the last line of a pool that is done',
      () => [poolOutcome(pool({ name: evil, counts: counts({ done: 1 }) }), 5000).line],
    ],
    [
      'the last line of a pool that is not',
      () => [poolOutcome(pool({ name: evil, counts: counts({ lost: 1 }) }), 5000).line],
    ],
    ['verdicts', () => new StuckNotes().observe(evilPool)],
    ['progress', () => [progressLine({ name: evil, counts: counts({ running: 1 }), elapsedMs: 0, etaMs: null })]],
    [
      'failures',
      () =>
        failuresTable({
          failures: [failure({ label: evil, message: evil, worker: evil, stderrPath: evil })],
          total: 1,
        }),
    ],
    ['what a target is', () => [(resolveTarget('pool-3fa9c1', [evilPool]) as { description: string }).description]],
    ['errors', () => errorText(new CliError(evil, [evil])).split('\n')],
    [
      'problems of a definition',
      () => errorText(new DefinitionError(evil, [{ key: evil, message: evil }])).split('\n'),
    ],
  ])('are not in %s', (_where, lines) => {
    for (const line of lines()) expect(line).not.toMatch(controls)
  })

  it('make up no lines', () => {
    expect(
      psText([evilPool], { all: true })
        .split('\n')
        .filter((line) => line.startsWith('y')),
    ).toEqual([])
    expect(new StuckNotes().observe(evilPool).join()).not.toContain('\n')
    expect(poolOutcome(evilPool, 5000).line).not.toContain('\n')
  })

  it('do not pass the terminal, whoever prints them; our own colours do', () => {
    const { terminal, written } = terminalOf()
    const { bad } = paletteFor({ isTTY: true }, {})
    terminal.print(`\u001b[2J${bad('red')}`)
    terminal.note('\u001b]0;title\u0007\u009b2J')
    terminal.showStatus('\u001b[1A1 of 2')
    expect(written).toEqual(['�[2J\u001b[31mred\u001b[39m\n', '�]0;title��2J\n', '\r\u001b[K�[1A1 of 2'])
  })

  it('are escaped in JSON, which says the same', () => {
    const { terminal, written } = terminalOf()
    printJson(terminal, { name: evil })
    expect(written.join('')).not.toMatch(controls)
    expect(JSON.parse(written.join(''))).toEqual({ name: evil })
  })
})
