import { commaSeparated, message, unique, type Text } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { CrashLoopFacts } from './facts'

/** Several workers in a row ended before they were ready: starting more does not help (cause 18 in README.md). */
export function crashLoop(facts: CrashLoopFacts): Verdict {
  const { loadError, stderrTail } = facts
  const because = loadError ?? lastLine(stderrTail)
  const loop = exitsInARow(facts)
  return makeVerdict({
    code: 'crash-loop',
    summary: because === '' ? loop : message('{0}: {1}', loop, because),
    evidence: [
      { what: message('exits'), value: commaSeparated(facts.exits) },
      ...(loadError === null ? [] : [{ what: message('error while loading the module'), value: loadError }]),
      ...(stderrTail === '' ? [] : [{ what: 'stderr', value: stderrTail }]),
    ],
    advice: message('Make the module load in a plain "node" first, then launch the pool again.'),
    confidence: 'certain',
  })
}

function exitsInARow({ pool, startsInARow, exits }: CrashLoopFacts): Text {
  const kinds = commaSeparated(unique(exits))
  return startsInARow === 1
    ? message('A worker of {0} ended before it was ready ({1})', pool, kinds)
    : message('{0} workers of {1} in a row ended before they were ready ({2})', startsInARow, pool, kinds)
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}
