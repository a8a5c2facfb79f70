import type { ProgramVerdict } from './facts'
import { durationInWords } from '../words'

/**
 * Processes of a program whose main process is gone (facts: cause 15). A pool whose program was killed leaves all its
 * workers like that.
 */
export interface LeftBehindFacts {
  readonly program: string
  readonly pid: number
  /** `exit -9 (SIGKILL)` */
  readonly exit: string
  /** It was not ended by a signal. */
  readonly endedByItself: boolean
  readonly agoMs: number
  /** `isWorker`: it worked for the program, and is not just a command that this one has started. */
  readonly workers: readonly { readonly name: string; readonly pid: number; readonly isWorker: boolean }[]
}

/**
 * One verdict a process. A worker has nobody left who reads its results, and nothing ends it; a command that a program
 * left running when it came to its end (an agent, a server) may be meant to stay.
 */
export function leftBehind({ program, pid, exit, endedByItself, agoMs, workers }: LeftBehindFacts): ProgramVerdict[] {
  return workers.map(({ isWorker, ...worker }) => ({
    code: 'orphaned',
    summary: `${worker.name} (pid ${worker.pid}) still runs although ${program} (pid ${pid}) has ended.`,
    evidence: [
      { what: `exit of ${program} (pid ${pid})`, value: `${exit}, ${durationInWords(agoMs)} ago` },
      { what: 'still running', value: `pid ${worker.pid}` },
    ],
    advice:
      isWorker || !endedByItself
        ? 'Nobody will read its results: terminate or kill what is left of the program.'
        : 'Terminate what is left of the program, unless that was started to stay.',
    confidence: 'certain',
    stuck: isWorker || !endedByItself,
    worker: worker.name,
    pid: worker.pid,
    task: null,
    rescue: [],
  }))
}
