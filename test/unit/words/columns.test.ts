import { describe, expect, it } from 'vitest'
import { alignColumns, cutToWidth } from '../../../src/words'

describe('columns', () => {
  it('are as wide for all rows as the widest of them asks for, wherever it stands', () => {
    const rows = Array.from({ length: 120 }, (_, index) => [`row ${index}`, index === 119 ? 'wide 漢字' : 'x', '1'])
    const lines = alignColumns(rows, { indent: ' ', right: [2] })
    expect(lines).toHaveLength(120)
    expect(lines[0]).toBe(' row 0    x          1')
    expect(lines[119]).toBe(' row 119  wide 漢字  1')
  })
  it('are right with colours and emoji', () => {
    expect(
      alignColumns([
        ['\u001b[31mred\u001b[39m', 'x'],
        ['👩‍🔧ab', 'y'],
      ]),
    ).toEqual(['\u001b[31mred\u001b[39m   x', '👩‍🔧ab  y'])
  })
})

describe('A text that is cut', () => {
  it('takes no more columns than there are, and no half of a wide character', () => {
    expect(cutToWidth('漢字漢字', 8)).toBe('漢字漢字')
    expect(cutToWidth('漢字漢字', 7)).toBe('漢字漢…')
    expect(cutToWidth('漢字漢字', 6)).toBe('漢字…')
  })
})
