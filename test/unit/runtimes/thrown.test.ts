import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { packThrown, unpackThrown } from '../../../src/runtimes'
import type { PackedThrown } from '../../../src/runtimes'

const travel = (value: unknown): unknown => unpackThrown(deserialize(serialize(packThrown(value))) as PackedThrown)

describe('what was thrown', () => {
  it.each([new TypeError('a'), new RangeError('b'), new SyntaxError('c'), new Error('d')])(
    'keeps its class: %s',
    (error) => {
      const arrived = travel(error) as Error
      expect(arrived.constructor).toBe(error.constructor)
      expect(arrived.stack).toBe(error.stack)
    },
  )

  it('keeps the name of a class that is not known here', () => {
    class QuotaError extends Error {
      override name = 'QuotaError'
      limit = 5
    }
    expect(travel(new QuotaError('full'))).toMatchObject({ name: 'QuotaError', message: 'full', limit: 5 })
    expect(travel(new QuotaError('full'))).toBeInstanceOf(Error)
  })

  it.each(['toString', 'constructor', '__proto__', 'hasOwnProperty', 'builtins'])(
    'is an error also when its class is called %s',
    (name) => {
      const arrived = travel(Object.assign(new Error('x'), { name }))
      expect(arrived).toBeInstanceOf(Error)
      expect(arrived).toMatchObject({ name, message: 'x' })
    },
  )

  it('is an error whatever its properties are called', () => {
    const packed = JSON.parse(
      '{ "kind": "error", "name": "Error", "message": "x", "properties": { "__proto__": { "code": 1 }, ' +
        '"constructor": 2 } }',
    ) as PackedThrown
    const arrived = unpackThrown(packed)
    expect(arrived).toBeInstanceOf(Error)
    expect(arrived).not.toHaveProperty('code')
  })

  it('loses only the properties that cannot be cloned', () => {
    const arrived = travel(Object.assign(new Error('x'), { code: 'E', request: () => 1 }))
    expect(arrived).toMatchObject({ code: 'E' })
    expect(arrived).not.toHaveProperty('request')
  })

  it('keeps causes, also those that are no errors, and survives a circle of them', () => {
    const error = new Error('outer', { cause: new TypeError('inner', { cause: 42 }) })
    expect(travel(error)).toMatchObject({ cause: { name: 'TypeError', cause: 42 } })
    const circle = new Error('circle')
    circle.cause = circle
    expect(travel(circle)).toMatchObject({ message: 'circle', cause: { message: 'circle' } })
  })

  it.each([undefined, null, 0, '', 'text', { a: 1 }, [1]])('comes back as it is when it is no error: %j', (value) => {
    expect(travel(value)).toEqual(value)
  })

  it('is described when it cannot be cloned or read', () => {
    expect(travel(Symbol('s'))).toMatchObject({ message: expect.stringContaining('Symbol(s)') as unknown })
    expect(
      travel(
        new Proxy(new Error('x'), {
          get: () => {
            throw new Error('trap')
          },
        }),
      ),
    ).toBeInstanceOf(Error)
    expect(
      travel(
        Object.defineProperty(new Error('x'), 'message', {
          get: () => {
            throw new Error('trap')
          },
        }),
      ),
    ).toBeInstanceOf(Error)
  })
})
