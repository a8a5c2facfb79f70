/** Text from tasks.json or a worker without what a terminal would take for a command; line feeds and tabs stay. */
export function plainText(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '�')
}

/** As {@link plainText}, in one line: a name must not make up lines of its own. */
export function plainLine(text: string): string {
  return plainText(text.replace(/\s*[\r\n]+\s*/g, ' ').replaceAll('\t', ' '))
}

/** A copy in which every text, however deep, is a {@link plainLine}: for what is drawn from a whole snapshot. */
export function plainLines<T>(value: T): T {
  return copied(value) as T
}

function copied(value: unknown): unknown {
  if (typeof value === 'string') return plainLine(value)
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(inner)]))
}

/**
 * The last door before a terminal: of all control characters only line feeds, tabs and the palette's own colours pass.
 */
export function withOwnStylesOnly(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[(?:1|2|22|3[123]|39)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (code) =>
    code.length > 1 ? code : '�',
  )
}
