import { describe, expect, it } from 'vitest'
import { findUncloneable, findUnjsonable } from '../../../src/runtimes'

const throwing = (thrown: unknown) => ({
  rows: [
    { fine: 1 },
    {
      get total(): never {
        throw thrown
      },
    },
  ],
})

describe.each([
  ['findUncloneable', findUncloneable],
  ['findUnjsonable', findUnjsonable],
])('%s', (_, find) => {
  it('names the getter that throws, and what it threw', () => {
    expect(find(throwing(new RangeError('out of range')), 'result')).toEqual({
      path: 'result.rows[1].total',
      detail: 'reading it threw RangeError: out of range',
    })
  })

  it.each([
    ['a string', 'no', 'no'],
    ['nothing that can be printed', Object.create(null), 'something that cannot be read (object)'],
  ])('names a getter that throws %s', (_, thrown, words) => {
    expect(find(throwing(thrown), 'result')).toEqual({
      path: 'result.rows[1].total',
      detail: `reading it threw ${words}`,
    })
  })
})

describe('findUncloneable', () => {
  it('names a proxy that cannot be looked into', () => {
    const proxy = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('not for you')
        },
      },
    )
    expect(findUncloneable({ inner: proxy }, 'result')).toMatchObject({ path: 'result.inner' })
  })
})

describe('findUnjsonable', () => {
  it('names the object whose toJSON throws', () => {
    expect(
      findUnjsonable(
        [
          {
            toJSON() {
              throw new TypeError('not now')
            },
          },
        ],
        'arguments',
      ),
    ).toEqual({ path: 'arguments[0]', detail: 'its toJSON threw TypeError: not now' })
  })

  it('looks at what toJSON returns', () => {
    expect(findUnjsonable([{ toJSON: () => ({ rate: NaN }) }], 'arguments')).toMatchObject({
      path: 'arguments[0].rate',
    })
    expect(
      findUnjsonable(
        [
          new Date(0),
          {
            toJSON() {
              return this
            },
          },
        ],
        'arguments',
      ),
    ).toBeUndefined()
  })
})
