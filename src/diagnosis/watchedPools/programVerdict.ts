import { makeVerdict, type VerdictDraft } from '../verdict'
import type { ProgramVerdict } from './facts'

/** A verdict as a rule for watched pools writes it. */
export type ProgramVerdictDraft = VerdictDraft & Pick<ProgramVerdict, 'stuck' | 'worker' | 'pid' | 'task' | 'rescue'>

/** The verdict with its texts in English. */
export function programVerdict(draft: ProgramVerdictDraft): ProgramVerdict {
  return makeVerdict(draft)
}
