import { inEnglish, type Text } from './messages'

/**
 * Every cause that has a code: media/docs/verdicts.md describes those that a rule gives. `pipe-held-by-descendant`,
 * `event-loop-blocked` and `blocked-in-native` are reserved: no rule gives them yet.
 */
export type VerdictCode =
  | 'lost-task'
  | 'orphaned-queue-lock'
  | 'oom-killed'
  | 'result-thread-dead'
  | 'fork-with-threads'
  | 'output-pipe-full'
  | 'pipe-held-by-descendant'
  | 'sigterm-ignored'
  | 'event-loop-blocked'
  | 'blocked-in-native'
  | 'stopped'
  | 'uninterruptible'
  | 'zombie'
  | 'orphaned'
  | 'no-live-workers'
  | 'crash-loop'
  | 'self-wait'
  | 'unserializable-result'
  | 'no-progress'
  | 'slow'

/** A fact that supports a verdict, in words that a person can check: `{ what: 'CPU time', value: 'none for 12 s' }`. */
export interface Evidence {
  readonly what: string
  readonly value: string
}

/** The problem, the facts that support it, and a remedy, in English; for translation see {@link messagesOf}. */
export interface Verdict {
  readonly code: VerdictCode
  /** One sentence in plain words. */
  readonly summary: string
  readonly evidence: readonly Evidence[]
  readonly advice: string
  readonly confidence: 'certain' | 'likely' | 'possible'
}

/** {@link Evidence} that can be translated. */
export interface EvidenceMessage {
  readonly what: Text
  readonly value: Text
}

/** The texts of a verdict, so that a client can render them in its own language. */
export interface VerdictMessages {
  readonly summary: Text
  readonly evidence: readonly EvidenceMessage[]
  readonly advice: Text
}

/** A verdict as a rule writes it. */
export type VerdictDraft = Pick<Verdict, 'code' | 'confidence'> & VerdictMessages

/** Beside the verdicts: they are public data of core, and printed as JSON, whose keys are fixed. */
const messagesByVerdict = new WeakMap<Verdict, VerdictMessages>()

/** The messages of a verdict that a rule made; undefined for a copy. */
export function messagesOf(verdict: Verdict): VerdictMessages | undefined {
  return messagesByVerdict.get(verdict)
}

/** The verdict with its texts in English. */
export function makeVerdict<Draft extends VerdictDraft>(draft: Draft): Verdict & Omit<Draft, keyof VerdictDraft> {
  const { code, summary, evidence, advice, confidence, ...others } = draft
  const verdict = {
    code,
    summary: inEnglish(summary),
    evidence: evidence.map(({ what, value }) => ({ what: inEnglish(what), value: inEnglish(value) })),
    advice: inEnglish(advice),
    confidence,
    ...others,
  }
  messagesByVerdict.set(verdict, { summary, evidence, advice })
  return verdict
}
