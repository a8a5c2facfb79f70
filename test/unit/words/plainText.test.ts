import { describe, expect, test } from 'vitest'
import { onlyColours, plainLine, plainLines, plainText } from '../../../src/words'

const escape = '\u001b'

describe('Plain text', () => {
  test('keeps line feeds and tabs, and loses what a terminal acts on', () => {
    expect(plainText(`a${escape}]0;title\u0007b\r\n\tc${escape}[2J`)).toBe('ab\n\tc')
  })
  test('is one line where it is a name', () => {
    expect(plainLine('a\r\n  b\tc')).toBe('a b c')
  })
  test('is made of every text of a snapshot, however deep', () => {
    expect(plainLines({ name: `x${escape}[2J`, workers: [{ pid: 1, name: 'a\nb' }] })).toEqual({
      name: 'x',
      workers: [{ pid: 1, name: 'a b' }],
    })
  })
  test('ends with no ESC, which would begin a sequence with the text that is printed after it', () => {
    expect(plainLine(`a${escape}`)).toBe('a')
    expect(onlyColours(`${escape}[31mred${escape}`)).toBe(`${escape}[31mred`)
  })
})
