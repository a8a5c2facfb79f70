import type { ProgramVerdict } from '../program-facts'
import { durationInWords } from '../words'

/** Processes of a program whose main process is gone (facts: cause 15). A pool whose program was killed leaves all its workers like that. */
export interface LeftBehindFacts {
  readonly program: string
  readonly pid: number
  /** `exit -9 (SIGKILL)` */
  readonly exit: string
  readonly agoMs: number
  readonly workers: readonly { readonly name: string; readonly pid: number }[]
}

/** One verdict a worker: nobody will read its results, and nothing ends it. */
export function leftBehind({ program, pid, exit, agoMs, workers }: LeftBehindFacts): ProgramVerdict[] {
  return workers.map((worker) => ({
    code: 'orphaned',
    summary: `${worker.name} (pid ${worker.pid}) still runs although ${program} (pid ${pid}) has ended.`,
    evidence: [
      { what: `exit of ${program} (pid ${pid})`, value: `${exit}, ${durationInWords(agoMs)} ago` },
      { what: 'still running', value: `pid ${worker.pid}` },
    ],
    advice: 'Nobody will read its results: terminate or kill what is left of the program.',
    confidence: 'certain',
    stuck: true,
    worker: worker.name,
    pid: worker.pid,
    task: null,
    rescue: [],
  }))
}
