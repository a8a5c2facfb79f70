import Table from 'cli-table3'

const noBorders = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} as const

/** Rows in aligned columns without borders (wide characters and colours are measured right), each line indented. */
export function alignColumns(rows: readonly (readonly string[])[], { indent = '', right = [] as readonly number[] } = {}): string[] {
  if (rows.length === 0) return []
  const width = Math.max(...rows.map((row) => row.length))
  const table = new Table({
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: Array.from({ length: width }, (_, column) => (right.includes(column) ? 'right' : 'left')),
  })
  for (const row of rows) table.push(Array.from({ length: width }, (_, column) => row[column] ?? ''))
  return table.toString().split('\n').map((line) => `${indent}${line}`.trimEnd())
}
