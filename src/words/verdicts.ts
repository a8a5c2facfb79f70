import * as l10n from '@vscode/l10n'
import type { TextSnapshot, VerdictSnapshot } from '../protocol'

/** The texts of a verdict in the language of the bundle; in English where the host sent no messages. */
export function verdictTexts({
  summary,
  evidence,
  advice,
  messages,
}: Pick<VerdictSnapshot, 'summary' | 'evidence' | 'advice' | 'messages'>): Pick<
  VerdictSnapshot,
  'summary' | 'evidence' | 'advice'
> {
  if (messages === undefined) return { summary, evidence, advice }
  return {
    summary: rendered(messages.summary),
    evidence: messages.evidence.map(({ what, value }) => ({ what: rendered(what), value: rendered(value) })),
    advice: rendered(messages.advice),
  }
}

function rendered(text: TextSnapshot): string {
  if (typeof text !== 'object') return String(text)
  // The templates are literals of message() in src/diagnosis: src/build/verdictTemplates.mjs adds them to the bundle.
  // eslint-disable-next-line no-restricted-syntax
  return l10n.t(text.id, ...text.args.map(rendered))
}
