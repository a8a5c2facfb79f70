import type { CrashLoopFacts } from './facts'
import type { Verdict } from '../verdict'

/**
 * Workers that end before they can take a task, several in a row: starting more of them will not help (facts: cause
 * 18).
 */
export function crashLoop(facts: CrashLoopFacts): Verdict {
  const because = facts.loadError ?? lastLine(facts.stderrTail)
  return {
    code: 'crash-loop',
    summary:
      (facts.startsInARow === 1
        ? `A worker of ${facts.pool} ended before it was `
        : `${facts.startsInARow} workers of ${facts.pool} in a row ended before they were `) +
      `ready (${summarize(facts.exits)})${because === '' ? '' : `: ${because}`}`,
    evidence: [
      { what: 'exits', value: facts.exits.join(', ') },
      ...(facts.loadError === null ? [] : [{ what: 'error while loading the module', value: facts.loadError }]),
      ...(facts.stderrTail === '' ? [] : [{ what: 'stderr', value: facts.stderrTail }]),
    ],
    advice: 'Make the module load in a plain "node" first, then launch the pool again.',
    confidence: 'certain',
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}

function summarize(exits: readonly string[]): string {
  return [...new Set(exits)].join(', ')
}
