import { expect, test } from 'vitest'
import { patience } from '../../../src/discovery'

test.each([
  [0, 2, 1],
  [1.5, 2, 1],
  [4, 2, 2],
  [30, 2, 4],
  [8, 16, 1],
])('with a load of %d on %d cores a host is waited for %d times as long', (load, cores, times) => {
  expect(patience(load, cores)).toBe(times)
})
