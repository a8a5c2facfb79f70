import { describe, expect, it } from 'vitest'
import { callLabel, chunkLabel, commandLabel, functionLabel } from '../../../src/core/terms/labels'
import { OutputTail } from '../../../src/core/output/outputTail'

describe('labels', () => {
  it.each([
    ['resize', ['img_7.png'], 'resize(img_7.png)'],
    ['tasks', [1, true, null, undefined, 2n], 'tasks(1, true, null, undefined, 2)'],
    ['f', [{ id: 3, name: 'x', inner: {} }, [1, 2]], 'f({id: 3, name: x, inner: …}, [2 items])'],
    ['f', [new Uint8Array(9)], 'f(Uint8Array(9))'],
  ])('of %s: a preview of its arguments', (name, args, label) => {
    expect(callLabel(name, args)).toBe(label)
  })

  it('of a default export go by the name of its file', () => {
    expect(functionLabel('/x/tasks.js', 'default')).toBe('tasks')
    expect(functionLabel('/x/tasks.js', 'resize')).toBe('resize')
  })

  it('of a chunk say which items are in it', () => {
    expect(chunkLabel('resize', 40, 20)).toBe('resize × 20 (items 40 to 59)')
    expect(chunkLabel('resize', 7, 1)).toBe('resize (item 7)')
  })

  it('are one line of at most 80 characters', () => {
    expect(callLabel('f', ['y'.repeat(500)])).toHaveLength(80)
    expect(commandLabel('a\n  b\tc ')).toBe('a b c')
  })
})

describe('the tail of an output', () => {
  it('is everything while it is short', () => {
    const tail = new OutputTail(10)
    tail.push(Buffer.from('abc'))
    tail.push(Buffer.from('def'))
    expect(tail.text()).toBe('abcdef')
    expect(tail.text()).toBe('abcdef')
  })

  it('is the last bytes when it is long, in many small or few large pieces', () => {
    for (const size of [1, 7, 1000]) {
      const tail = new OutputTail(10)
      const text = Array.from({ length: 3000 }, (_, i) => i % 10).join('')
      for (let at = 0; at < text.length; at += size) tail.push(Buffer.from(text.slice(at, at + size)))
      expect(tail.text()).toBe(text.slice(-10))
    }
  })

  it('begins at a whole character', () => {
    const tail = new OutputTail(5)
    tail.push(Buffer.from('€€€'))
    expect(tail.text()).toBe('€')
  })
})
