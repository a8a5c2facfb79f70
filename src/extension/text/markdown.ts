/**
 * What Markdown (or VS Code, for `$(icon)`) would read as more than text. No more than that is escaped, because reports
 * are also read as they are written: `img_7.png` and `PoolWorker-2` stay what they are.
 */
const special =
  /[\\`*{}[\]<>|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\$(?=\()|&(?=[#\w]+;)|^(?:#+(?=\s)|[-+=](?=\s|$)|\d+(?=[.)]\s))/g

/**
 * Whatever some reader of Markdown, or of text, begins a line at: CR, LF, VT, FF, NEL, and the separators of lines and
 * paragraphs.
 */
const lineBreak = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g

/** Text from outside (labels, messages) as Markdown that shows it as it is, in one line. */
export function escapeMarkdown(text: string): string {
  return text.replace(lineBreak, ' ').replace(special, (found) => (/^\d/.test(found) ? `${found}\\` : `\\${found}`))
}

/** Text from outside in a table cell. */
export function tableCell(text: string): string {
  return escapeMarkdown(text.replace(/\s+/g, ' ').trim())
}
