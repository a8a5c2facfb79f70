import { noCpuEvidence } from '../evidence'
import { message, type Message } from '../messages'
import { isPool } from './conditions'
import { parentEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { waitInWords } from './phrases'
import { programVerdict } from './programVerdict'
import { feederWrite } from './queueFeeder'
import { isQuietEnough, isWithoutReader } from './readers'

/**
 * The feeder thread of the program's own queue waits in write(): the processes that read the queue have ended, and the
 * program is in `JoinableQueue.join()` or at its end.
 */
export function programFeederPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, stuckAfterMs } = facts
  if (isPool(facts) || !isWithoutReader(facts)) return []
  const write = feederWrite(parent)
  const waitsForIt = /\bin (Queue\.(_finalize_join|join_thread)|JoinableQueue\.join)$/.test(parent.waitsIn ?? '')
  // The purpose of the threads of an attached program is unknown.
  const isUnknown = parent.waitsIn === null && !parent.answers
  if (write === undefined || !(waitsForIt || isUnknown) || !isQuietEnough(parent.quietMs, waitsForIt, stuckAfterMs))
    return []
  return [
    programVerdict({
      code: 'output-pipe-full',
      summary: summaryOf(facts, waitsForIt),
      evidence: [
        { what: message('another thread of the program waits for'), value: waitInWords(write) },
        ...(parent.wait === null ? [] : [{ what: message('the program waits for'), value: waitInWords(parent.wait) }]),
        noCpuEvidence(parent.quietMs),
        ...parentEvidence(facts),
      ],
      advice: message(
        'Terminate the program (pid {0}): whoever took things out of that queue has ended. Let the consumers run ' +
          'until the queue is empty; cancel_join_thread() drops what nobody has read.',
        parent.pid,
      ),
      confidence: waitsForIt ? 'likely' : 'possible',
      stuck: true,
      worker: null,
      pid: parent.pid,
      task: null,
      rescue: [],
    }),
  ]
}

function summaryOf({ pool, parent }: ProgramPoolFacts, waitsForIt: boolean): Message {
  const subject = (parent.waitsIn ?? '').includes('_finalize_join')
    ? message('The program of {0} (pid {1}) cannot end', pool, parent.pid)
    : message('The program of {0} (pid {1}) cannot go on', pool, parent.pid)
  return waitsForIt
    ? message(
        '{0}: the feeder thread of its queue writes to a pipe, the pipe is full, and no process is left that could ' +
          'read it.',
        subject,
      )
    : message(
        '{0}: another thread of it, as the feeder thread of a queue would, writes to a pipe, the pipe is full, and ' +
          'no process is left that could read it.',
        subject,
      )
}
