import { inEnglish, message, type Text } from '../messages'
import { isExecutor, isPool } from './conditions'
import type { ProgramPoolFacts, ProgramTaskFacts } from './facts'

type Library = Pick<ProgramPoolFacts, 'library'>

interface Killed {
  readonly name: string
  readonly task: Pick<ProgramTaskFacts, 'retriable'> | null
}

/** Further effects of killing a worker: an executor breaks, a pool replaces the worker. Empty for a plain process. */
export function ifKilled(facts: Library, { name, task }: Killed): Text {
  if (isExecutor(facts))
    return message(
      'Killing {0} breaks the executor: every future that is not done fails with {1}.',
      name,
      facts.library === 'loky' ? 'TerminatedWorkerError' : 'BrokenProcessPool',
    )
  if (task === null) return isPool(facts) ? message('The pool replaces {0}.', name) : ''
  if (facts.library === 'billiard')
    return message('Killing {0} loses the task, which billiard fails by itself some 10 s later.', name)
  return task.retriable
    ? message('Killing {0} loses the task, which a rescue can then fail or run again.', name)
    : message('Killing {0} loses the task, which a rescue can then fail.', name)
}

/** {@link ifKilled} in English. */
export function ifKilledInWords(facts: Library, killed: Killed): string {
  return inEnglish(ifKilled(facts, killed))
}
