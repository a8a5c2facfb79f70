import { describe, expect, it } from 'vitest'
import { runChunk } from '../../../src/runtimes/node/runTask'

describe('a chunk', () => {
  it('is done at once when no call returns a promise', () => {
    expect(runChunk((n) => (n as number) * 2, [1, 2, 3], false)).toEqual([2, 4, 6])
  })

  it('waits for each promise before the next call, wherever the first one comes', async () => {
    const order: string[] = []
    const call = (n: unknown): unknown => {
      order.push(`call ${n as number}`)
      if (n === 1) return 1
      return Promise.resolve().then(() => {
        order.push(`done ${n as number}`)
        return n
      })
    }
    expect(await runChunk(call, [1, 2, 3], false)).toEqual([1, 2, 3])
    expect(order).toEqual(['call 1', 'call 2', 'done 2', 'call 3', 'done 3'])
  })

  it('gives each item as arguments with star', () => {
    expect(
      runChunk(
        (a, b) => `${a as string}-${b as string}`,
        [
          ['x', 1],
          ['y', 2],
        ],
        true,
      ),
    ).toEqual(['x-1', 'y-2'])
  })

  it('ends with the first call that throws', () => {
    const seen: unknown[] = []
    expect(() =>
      runChunk(
        (n) => {
          seen.push(n)
          if (n === 2) throw new RangeError('two')
          return n
        },
        [1, 2, 3],
        false,
      ),
    ).toThrow(RangeError)
    expect(seen).toEqual([1, 2])
  })
})
