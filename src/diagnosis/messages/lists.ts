import { inEnglish, message, type Text } from './message'

/** The first few, and how many more there are. */
export function list(items: readonly Text[], most = 5): Text {
  const shown = commaSeparated(items.slice(0, most))
  return items.length > most ? message('{0} and {1} more', shown, items.length - most) : shown
}

/** All of them. */
export function commaSeparated(items: readonly Text[]): Text {
  const [first = '', ...others] = items
  return others.reduce((before, item) => message('{0}, {1}', before, item), first)
}

/** One after the other; empty ones are left out. */
export function sentences(...all: readonly Text[]): Text {
  const [first = '', ...others] = all.filter((sentence) => sentence !== '')
  return others.reduce((before, sentence) => message('{0} {1}', before, sentence), first)
}

/** Each text once, in the order of its first occurrence. */
export function unique(texts: readonly Text[]): Text[] {
  return [...new Map(texts.map((text) => [inEnglish(text), text])).values()]
}
