import { describe, expect, it } from 'vitest'
import { findUncloneable, findUnjsonable, isJson } from '../../../src/runtimes'

describe('what the structured clone refuses', () => {
  it.each<[string, unknown, string]>([
    ['a function at the top', () => 1, 'result'],
    ['deep inside', { rows: [{}, { save: () => 1 }] }, 'result.rows[1].save'],
    ['under a name that is none', { 'a b': { c: Symbol('s') } }, 'result["a b"].c'],
    ['in a Map', new Map([['k', [Promise.resolve()]]]), 'result.get("k")[0]'],
    ['in a Set', new Set(['x', () => 1]), 'result.has('],
  ])('is found %s', (_, value, path) => {
    expect(findUncloneable(value, 'result')?.path).toContain(path)
    expect(findUncloneable(value, 'result')?.detail).toMatch(/could not be cloned/)
  })

  it('is nothing in what can be cloned, circles included', () => {
    const circle: Record<string, unknown> = {
      at: new Date(),
      map: new Map([[1, new Set([2n])]]),
      bytes: new Uint8Array(2),
    }
    circle.self = circle
    expect(findUncloneable(circle, 'result')).toBeUndefined()
  })

  it('in a circle is found, too', () => {
    const circle: Record<string, unknown> = { fn: () => 1 }
    circle.self = circle
    expect(findUncloneable(circle, 'result')?.path).toBe('result.fn')
  })
})

describe('what JSON has no form for', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  it.each<[string, unknown, string]>([
    ['NaN', [1, { x: Number.NaN }], 'arguments[1].x'],
    ['an infinity', [Infinity], 'arguments[0]'],
    ['a bigint', [[2n]], 'arguments[0][0]'],
    ['a Map', [{ m: new Map() }], 'arguments[0].m'],
    ['a Buffer', [Buffer.from('x')], 'arguments[0]'],
    [
      'a function',
      [
        {
          f() {
            return 1
          },
        },
      ],
      'arguments[0].f',
    ],
    ['a symbol', [Symbol('s')], 'arguments[0]'],
    ['a circle', [circle], 'arguments[0].self'],
  ])('is refused with its place: %s', (_, value, path) => {
    expect(findUnjsonable(value, 'arguments')?.path).toBe(path)
  })

  it('is nothing in plain data, dates, undefined and the same object twice', () => {
    const twice = { a: 1 }
    expect(findUnjsonable([twice, twice, new Date(), undefined, null, 'x', 0.5, true], 'arguments')).toBeUndefined()
  })
})

describe('values that JSON carries unchanged', () => {
  it.each(['', 'ÿ✓\ud800', 0, -1.5, 1e300, true, false, null])('%j is one, and comes back as it was', (value) => {
    expect(isJson(value)).toBe(true)
    expect(JSON.parse(JSON.stringify(value))).toBe(value)
  })

  it.each([undefined, Number.NaN, Infinity, -0, 1n, Symbol('s'), () => 1, {}, []])('%s is none', (value) => {
    expect(isJson(value)).toBe(false)
  })
})
