/** Escape sequences of terminals, and control characters other than tab, line feed and carriage return. */
const controlSequences = new RegExp(
  [
    '\\u001b\\[[0-9;:]*m', // SGR: colours
    '\\u001b\\[[0-?]*[ -/]*[@-~]', // CSI
    '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)', // OSC: titles, links
    '\\u001b[PX^_][^\\u001b]*\\u001b\\\\', // DCS, SOS, PM, APC
    '\\u001b[ -/]*[0-~]',
    // An ESC that begins none of these would begin one with the text that is printed after it.
    '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]',
  ].join('|'),
  'g',
)
// eslint-disable-next-line no-control-regex
const colour = /^\u001b\[[0-9;:]*m$/

/** Text from tasks.json or a worker without anything that a terminal acts on; line feeds and tabs stay. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, (end) => (end === '\r' ? ' ' : '\n')).replace(controlSequences, '')
}

/** As {@link plainText}, in one line: for names and messages, which must not make up lines of their own. */
export function plainLine(text: string): string {
  return plainText(text.replace(/\s*[\r\n]+\s*/g, ' ').replaceAll('\t', ' '))
}

/** A copy in which every text, however deep, is a {@link plainLine}: for what is drawn from a whole snapshot. */
export function plainLines<T>(value: T): T {
  return copied(value) as T
}

/** Lines with their colours and line ends, without anything else that a terminal acts on. */
export function onlyColours(text: string): string {
  return text.replaceAll(/\r(?!\n)/g, ' ').replace(controlSequences, (code) => (colour.test(code) ? code : ''))
}

function copied(value: unknown): unknown {
  if (typeof value === 'string') return plainLine(value)
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(inner)]))
}
