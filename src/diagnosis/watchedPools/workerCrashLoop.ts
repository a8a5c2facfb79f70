import { duration, inEnglish, commaSeparated, message, sentences, unique, type Text } from '../messages'
import { isOpen, isPool } from './conditions'
import { crashLoopWindowMs, type ProgramPoolFacts, type ProgramVerdict } from './facts'
import { programVerdict } from './programVerdict'

/** Number of workers in a row that must end before they ask for a task: a pool starts new ones without limit. */
export const exitsInARow = 5

/** Workers end before they can take a task: starting more of them does not help (cause 18 in README.md). */
export function workerCrashLoop(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  // A pool that is terminated right after its start ends its workers by SIGTERM, perhaps before they are ready.
  const exits = facts.exitsBeforeReady.filter((exit) => !inEnglish(exit).includes('SIGTERM'))
  if (!isPool(facts) || !isOpen(facts) || exits.length < exitsInARow) return []
  return [
    programVerdict({
      code: 'crash-loop',
      summary: message(
        '{0} will wait for ever: at least {1} workers in a row ended before they asked for a task ({2}), and it ' +
          'keeps starting new ones.',
        facts.pool,
        exits.length,
        commaSeparated(unique(exits)),
      ),
      evidence: [
        {
          what: message('exits within {0}, newest last', duration(crashLoopWindowMs)),
          value: commaSeparated(exits.slice(-10)),
        },
        ...(facts.startMethod === null ? [] : [{ what: message('start method'), value: facts.startMethod }]),
      ],
      advice: sentences(adviceFor(exits.map(inEnglish)), importAdvice(facts)),
      confidence: 'certain',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    }),
  ]
}

/** An exit with code 0 raises no exception, and `sys.exit(1)` prints as little as a signal does. */
function adviceFor(exits: readonly string[]): Text {
  if (exits.every((exit) => exit === 'exit 0'))
    return message(
      'Exit code 0 leaves no traceback: look for sys.exit() or os._exit() in the initializer of the pool, or in what ' +
        'a worker imports.',
    )
  return sentences(
    message(
      "Look for a traceback in the program's output: the initializer of the pool raises, or its module cannot be " +
        'imported in a worker. Where there is none, look for sys.exit() or os._exit() there.',
    ),
    exits.some((exit) => exit.includes('(SIG'))
      ? message('A signal leaves none either: "python -X faulthandler" shows where it came.')
      : '',
  )
}

/** Such a worker imports the main module, which makes another pool there unless it checks `__name__`. */
function importAdvice({ startMethod }: ProgramPoolFacts): Text {
  if (startMethod !== 'spawn' && startMethod !== 'forkserver') return ''
  return message(
    'With the start method "{0}" every worker imports the program\'s main file: what makes the pool has to stand ' +
      'below "if __name__ == \'__main__\':".',
    startMethod,
  )
}
