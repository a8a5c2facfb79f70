import { messagesOf, type Verdict } from '../../diagnosis'
import type { VerdictSnapshot } from '../../protocol'

/** A verdict as clients get it: its English texts, and the messages from which a client can render others. */
export function verdictSnapshot(verdict: Verdict): VerdictSnapshot {
  const { code, summary, evidence, advice, confidence } = verdict
  const messages = messagesOf(verdict)
  return {
    code,
    summary,
    evidence: evidence.map(({ what, value }) => ({ what, value })),
    advice,
    confidence,
    ...(messages === undefined ? {} : { messages }),
  }
}
