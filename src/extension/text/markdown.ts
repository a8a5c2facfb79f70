/** Text from outside (labels, messages) as Markdown that shows it as it is. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, '\\$&').replace(/\r?\n/g, ' ')
}

/** Text from outside in a table cell. */
export function tableCell(text: string): string {
  return escapeMarkdown(text.replace(/\s+/g, ' ').trim())
}
