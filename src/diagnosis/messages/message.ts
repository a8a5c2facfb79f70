/**
 * A text with placeholders and their values. The English template is its id, as in VS Code's l10n: a client looks it up
 * in its bundle.
 */
export interface Message {
  /** `{0} ended ({1}).` */
  readonly id: string
  readonly args: readonly Text[]
}

/** A name, a number, or a part of a sentence that has a translation of its own. */
export type Text = string | number | Message

/** A message. The template must be a literal (or a sum of literals): src/build/verdictTemplates.mjs collects them. */
export function message(id: string, ...args: readonly Text[]): Message {
  return { id, args }
}

/** The text with every placeholder replaced, without translation. */
export function inEnglish(text: Text): string {
  if (typeof text !== 'object') return String(text)
  return text.id.replace(/\{(\d+)\}/g, (placeholder, index: string) => {
    const value = text.args[Number(index)]
    return value === undefined ? placeholder : inEnglish(value)
  })
}
