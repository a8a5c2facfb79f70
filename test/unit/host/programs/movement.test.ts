import { describe, expect, test } from 'vitest'
import { Movement } from '../../../../src/host/programs/members/movement'

describe('movement', () => {
  test('is quiet from the first look on while no CPU time is used', () => {
    const movement = new Movement()
    for (const now of [1000, 2000, 3000]) movement.observe(now, 40, 1)
    expect([movement.quietMs(3000), movement.watchedMs(3000), movement.cpuMs]).toEqual([2000, 2000, 0])
  })

  test('begins anew with CPU time beyond what waking up for timers takes', () => {
    const movement = new Movement()
    movement.observe(0, 0, 1)
    movement.observe(1000, 20, 1)
    expect(movement.quietMs(1000)).toBe(1000)
    movement.observe(2000, 50, 1)
    expect([movement.quietMs(2500), movement.cpuMs]).toEqual([500, 50])
  })

  test('does not add up timers over a long wait to work', () => {
    const movement = new Movement()
    // 4 ms of CPU time a second for ten minutes: a poll of ten times a second.
    for (let second = 0; second <= 600; second += 1) movement.observe(second * 1000, second * 4, 1)
    expect(movement.quietMs(600_000)).toBe(600_000)
  })

  test('begins anew with every task', () => {
    const movement = new Movement()
    movement.observe(0, 0, 1)
    movement.observe(5000, 0, 2)
    expect([movement.quietMs(6000), movement.watchedMs(6000)]).toEqual([1000, 1000])
  })

  test('does not count as quiet what nobody saw: the machine was asleep, or too busy for a look', () => {
    const movement = new Movement()
    for (const now of [0, 1000, 3_600_000]) movement.observe(now, 0, 1)
    expect([movement.quietMs(3_600_000), movement.watchedMs(3_600_000)]).toEqual([3000, 3000])
    expect(movement.quietMs(7_200_000)).toBe(5000)
  })
})
