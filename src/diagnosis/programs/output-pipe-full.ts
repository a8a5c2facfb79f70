import type { ProgramPoolFacts, ProgramVerdict } from '../program-facts'
import { durationInWords } from '../words'
import { isLive, isPool, quietEnoughMs } from './conditions'
import { nameOf, taskName, whereEvidence } from './words'

/**
 * A worker waits in write(): whoever should read has stopped reading, and the pipe is full (facts: causes 7 and 8). A worker that
 * sends a result is another matter: the program takes those in, and is slow at worst.
 */
export function outputPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { wait, phase, task, quietMs } = worker
    if (!isLive(worker) || quietMs < quietEnoughMs || phase === 'sending' || phase === 'idle') return []
    if (wait === null || (wait.kind !== 'pipe-write' && wait.kind !== 'socket-write')) return []
    const stream = wait.descriptor === 1 ? 'stdout' : wait.descriptor === 2 ? 'stderr' : undefined
    // What an unrecorded worker writes may be a result; the program must be at rest as well.
    const isSure = stream !== undefined || phase === 'running'
    if (!isSure && facts.parent.quietMs < quietEnoughMs) return []
    const what = wait.kind === 'pipe-write' ? 'pipe' : 'socket'
    return [{
      code: 'output-pipe-full',
      summary: `${nameOf(worker)} of ${facts.pool} cannot go on${task === null ? '' : ` with ${taskName(task)}`}: it writes to ${stream ?? `a ${what}`}, the ${what} is full, and nobody reads it.`,
      evidence: [...whereEvidence(worker), { what: 'CPU time', value: `none for ${durationInWords(quietMs)}` }],
      advice: stream !== undefined
        ? `Read the program's ${stream}: whoever started it with a pipe has to empty that pipe while it runs.`
        : 'Whoever is to read that has stopped reading: take things out of a queue or pipe before you join() the process that puts them in.',
      confidence: isSure || !isPool(facts) ? 'likely' : 'possible',
      stuck: true, worker: worker.name, pid: worker.pid, task: task?.id ?? null, rescue: [],
    }]
  })
}
