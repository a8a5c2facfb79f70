import { duration, message, type Text } from '../messages'
import type { ProgramVerdict } from './facts'
import { programVerdict } from './programVerdict'

/**
 * Processes of a program whose main process is gone (cause 15 in README.md): a killed program leaves all workers of its
 * pools behind.
 */
export interface LeftBehindFacts {
  readonly program: string
  readonly pid: number
  /** `exit -9 (SIGKILL)` */
  readonly exit: Text
  /** It was not ended by a signal. */
  readonly endedByItself: boolean
  readonly agoMs: number
  /** `isWorker`: started by Python to work for the program; false for any other command. */
  readonly workers: readonly { readonly name: string; readonly pid: number; readonly isWorker: boolean }[]
}

/**
 * One verdict a process. The results of a worker have no reader any more, and nothing ends it; a command (an agent, a
 * server) that still runs after a regular end of its program may be meant to stay.
 */
export function leftBehind({ program, pid, exit, endedByItself, agoMs, workers }: LeftBehindFacts): ProgramVerdict[] {
  return workers.map(({ isWorker, ...worker }) =>
    programVerdict({
      code: 'orphaned',
      summary: message(
        '{0} (pid {1}) still runs although {2} (pid {3}) has ended.',
        worker.name,
        worker.pid,
        program,
        pid,
      ),
      evidence: [
        {
          what: message('exit of {0} (pid {1})', program, pid),
          value: message('{0}, {1} ago', exit, duration(agoMs)),
        },
        { what: message('still running'), value: message('pid {0}', worker.pid) },
      ],
      advice:
        isWorker || !endedByItself
          ? message('Nobody will read its results: terminate or kill what is left of the program.')
          : message('Terminate what is left of the program, unless that was started to stay.'),
      confidence: 'certain',
      stuck: isWorker || !endedByItself,
      worker: worker.name,
      pid: worker.pid,
      task: null,
      rescue: [],
    }),
  )
}
