import type { ProgramPoolFacts, ProgramVerdict } from '../program-facts'
import { isQuiet } from '../rules/no-progress'
import { durationInWords } from '../words'
import { isLive, isPool, quietEnoughMs } from './conditions'
import { nameOf, parentEvidence, taskName, whereEvidence } from './words'

/**
 * A worker waits in write(): whoever should read has stopped reading, and the pipe is full (facts: causes 7 and 8). A worker that
 * sends a result is another matter: the program takes those in, and is slow at worst. So is the reader of a pipe between two
 * processes of a program, unless the program waits for the end of the one that writes.
 */
export function outputPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, stuckAfterMs } = facts
  const parentJoins = /\bjoin\b/.test(parent.waitsIn ?? '')
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { wait, phase, task, quietMs } = worker
    if (!isLive(worker) || phase === 'sending' || phase === 'idle') return []
    if (wait === null || (wait.kind !== 'pipe-write' && wait.kind !== 'socket-write')) return []
    const isInTask = isPool(facts) && phase === 'running'
    if (!isInTask && parent.quietMs < quietEnoughMs) return []
    if (isInTask || parentJoins ? quietMs < quietEnoughMs : !isQuiet({ quietMs, stuckAfterMs })) return []
    const stream = wait.descriptor === 1 ? 'stdout' : wait.descriptor === 2 ? 'stderr' : undefined
    const what = wait.kind === 'pipe-write' ? 'pipe' : 'socket'
    return [{
      code: 'output-pipe-full',
      summary: `${nameOf(worker)} of ${facts.pool} cannot go on${task === null ? '' : ` with ${taskName(task)}`}: it writes to ${stream ?? `a ${what}`}, the ${what} is full, and nobody reads it.`,
      evidence: [...whereEvidence(worker), { what: 'CPU time', value: `none for ${durationInWords(quietMs)}` }, ...parentEvidence(facts)],
      advice: stream !== undefined
        ? `Read the program's ${stream}: whoever started it with a pipe has to empty that pipe while it runs.`
        : 'Whoever is to read that has stopped reading: take things out of a queue or pipe before you join() the process that puts them in.',
      confidence: isInTask || parentJoins ? 'likely' : 'possible',
      stuck: true, worker: worker.name, pid: worker.pid, task: task?.id ?? null, rescue: [],
    }]
  })
}
