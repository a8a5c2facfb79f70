import { duration, message, stateInWords } from './messages'
import type { ProcessState } from '../processes'
import type { EvidenceMessage } from './verdict'

/** Evidence that rules of both kinds of pools show. */

/** `state of process 4711: sleeping`; stopped processes, zombies and the like with the letter that `ps` shows. */
export function stateEvidence(pid: number, state: ProcessState): EvidenceMessage {
  return { what: message('state of process {0}', pid), value: stateInWords(state) }
}

/** `state of process 4711: T (stopped)`. */
export function stoppedEvidence(pid: number): EvidenceMessage {
  return { what: message('state of process {0}', pid), value: message('T (stopped)') }
}

/** `state of process 4711: D (uninterruptible)`, and how many samples in a row had it. */
export function uninterruptibleEvidence(pid: number, samples: number): EvidenceMessage[] {
  return [
    { what: message('state of process {0}', pid), value: message('D (uninterruptible)') },
    { what: message('looks in a row that saw it'), value: samples },
  ]
}

/** `CPU time: none for 12 s`. */
export function noCpuEvidence(quietMs: number): EvidenceMessage {
  return { what: message('CPU time'), value: message('none for {0}', duration(quietMs)) }
}

/** Whether the kill ledger has a signal of ours that explains an exit. */
export function ledgerEvidence(
  endedByUs: { readonly askedBy: string; readonly reason: string } | null,
): EvidenceMessage {
  return {
    what: message('our kill ledger'),
    value:
      endedByUs === null
        ? message('no signal from us')
        : message('ended by us: {0} (asked by {1})', endedByUs.reason, endedByUs.askedBy),
  }
}
