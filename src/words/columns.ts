import stringWidth from 'string-width'

const gap = '  '
const ellipsis = '…'
const graphemes = new Intl.Segmenter()

/** Columns that a text takes in a terminal: wide characters take two, colours none. */
export { stringWidth as displayWidth }

/** The text, or as much of it as fits into `width` columns with an ellipsis. Without colours: a cut could open one. */
export function cutToWidth(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let cut = ''
  let room = width - 1
  for (const { segment } of graphemes.segment(text)) {
    room -= stringWidth(segment)
    if (room < 0) break
    cut += segment
  }
  return `${cut}${ellipsis}`
}

/** The widest cell of each column, in columns of the terminal. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell))
  return widths
}

/**
 * Rows in aligned columns, each line indented.
 * @param options `right`: the columns whose cells end below each other.
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  { indent = '', right = [] as readonly number[], widths = columnWidths(rows) } = {},
): string[] {
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const padding = ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)))
      return right.includes(column) ? `${padding}${cell}` : `${cell}${padding}`
    })
    return `${indent}${cells.join(gap)}`.trimEnd()
  })
}
