import { describe, expect, test } from 'vitest'
import { Standing } from '../../../../src/host/watchdog/standing'

describe('a loop', () => {
  test('that does not beat for two seconds stands, which is told once', () => {
    const standing = new Standing(7)
    expect([500, 500, 500, 500, 500, 500].map((ms) => standing.look(7, ms))).toEqual([
      undefined,
      undefined,
      undefined,
      { kind: 'stands', forMs: 2000 },
      undefined,
      undefined,
    ])
  })

  test('that beats again goes on, and is told how long it stood; then it may stand again', () => {
    const standing = new Standing(7)
    for (let look = 0; look < 6; look += 1) standing.look(7, 500)
    expect(standing.look(8, 500)).toEqual({ kind: 'goes-on', forMs: 3500 })
    expect([500, 500, 500, 500].map((ms) => standing.look(8, ms)).at(-1)).toEqual({ kind: 'stands', forMs: 2000 })
  })

  test('that is late by less goes on without a word', () => {
    const standing = new Standing(7)
    for (let look = 0; look < 3; look += 1) standing.look(7, 500)
    expect(standing.look(8, 400)).toBeUndefined()
  })

  test('of a process that was stopped for an hour does not stand', () => {
    const standing = new Standing(7)
    expect(standing.look(7, 3_600_000)).toBeUndefined()
    expect(standing.look(8, 500)).toBeUndefined()
  })

  test('that nobody watched for a while does not stand', () => {
    const standing = new Standing(7)
    for (let look = 0; look < 3; look += 1) standing.look(7, 500)
    standing.forget(7)
    expect(standing.look(7, 500)).toBeUndefined()
  })
})
