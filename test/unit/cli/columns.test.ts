import { describe, expect, it } from 'vitest'
import { alignColumns } from '../../../src/cli/output/columns'

describe('columns', () => {
  it('are as wide for all rows as the widest of them asks for, wherever it stands', () => {
    const rows = Array.from({ length: 120 }, (_, index) => [`row ${index}`, index === 119 ? 'wide 漢字' : 'x', '1'])
    const lines = alignColumns(rows, { indent: ' ', right: [2] })
    expect(lines).toHaveLength(120)
    expect(lines[0]).toBe(' row 0    x          1')
    expect(lines[119]).toBe(' row 119  wide 漢字  1')
  })
})
