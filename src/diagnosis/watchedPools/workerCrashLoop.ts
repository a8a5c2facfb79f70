import { crashLoopWindowMs, type ProgramPoolFacts, type ProgramVerdict } from './facts'
import { durationInWords } from '../words'
import { isOpen, isPool } from './conditions'

/** As many workers in a row that end before they ask for a task; a pool starts new ones without end. */
export const exitsInARow = 5

/** Workers that end before they can take a task: starting more of them will not help (facts: cause 18). */
export function workerCrashLoop(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  // A pool that is taken down at once ends its workers by SIGTERM, perhaps before they are ready.
  const exits = facts.exitsBeforeReady.filter((exit) => !exit.includes('SIGTERM'))
  if (!isPool(facts) || !isOpen(facts) || exits.length < exitsInARow) return []
  return [
    {
      code: 'crash-loop',
      summary:
        `${facts.pool} will wait for ever: at least ${exits.length} workers in a row ended before they asked for a ` +
        `task (${[...new Set(exits)].join(', ')}), and it keeps starting new ones.`,
      evidence: [
        { what: `exits within ${durationInWords(crashLoopWindowMs)}, newest last`, value: exits.slice(-10).join(', ') },
        ...(facts.startMethod === null ? [] : [{ what: 'start method', value: facts.startMethod }]),
      ],
      advice: `${adviceFor(exits)}${guard(facts)}`,
      confidence: 'certain',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    },
  ]
}

/** Exit code 0 is nobody's exception, and sys.exit(1) leaves as little in the output as a signal does. */
function adviceFor(exits: readonly string[]): string {
  const ends = 'sys.exit() or os._exit()'
  if (exits.every((exit) => exit === 'exit 0'))
    return (
      `Exit code 0 leaves no traceback: look for ${ends} in the initializer of the pool, or in what a ` +
      'worker imports.'
    )
  const bySignal = exits.some((exit) => exit.includes('(SIG'))
    ? ' A signal leaves none either: "python -X faulthandler" shows where it came.'
    : ''
  return (
    "Look for a traceback in the program's output: the initializer of the pool raises, or its module cannot be " +
    `imported in a worker. Where there is none, look for ${ends} there.${bySignal}`
  )
}

/** Such a worker imports the program's main module, which makes a pool there, unless it asks who it is. */
function guard({ startMethod }: ProgramPoolFacts): string {
  if (startMethod !== 'spawn' && startMethod !== 'forkserver') return ''
  return (
    ` With the start method "${startMethod}" every worker imports the program's main file: what makes the pool has ` +
    `to stand below "if __name__ == '__main__':".`
  )
}
