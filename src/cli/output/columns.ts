import Table from 'cli-table3'

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const

/** The library takes a time that grows with the square of the rows: 5,000 at once would be half a minute. */
const rowsAtOnce = 50

/** Rows in aligned columns without borders (wide characters and colours are measured right), each line indented. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  { indent = '', right = [] as readonly number[] } = {},
): string[] {
  if (rows.length === 0) return []
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  const tableOf = (block: readonly (readonly string[])[], colWidths: number[]) => {
    const table = new Table({
      chars: noBorders,
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
      colAligns: Array.from({ length: width }, (_, column) => (right.includes(column) ? 'right' : 'left')),
      colWidths,
    })
    for (const row of block) table.push(Array.from({ length: width }, (_, column) => row[column] ?? ''))
    return table.toString()
  }
  const blocks = Array.from({ length: Math.ceil(rows.length / rowsAtOnce) }, (_, index) =>
    rows.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce),
  )
  // It writes the widths that it finds into the array that it is given.
  const found = blocks.map((block) => {
    const widths: number[] = []
    tableOf(block, widths)
    return widths
  })
  const widths = Array.from({ length: width }, (_, column) =>
    found.reduce((most, one) => Math.max(most, one[column] ?? 0), 0),
  )
  return blocks.flatMap((block) => tableOf(block, [...widths]).split('\n')).map((line) => `${indent}${line}`.trimEnd())
}
