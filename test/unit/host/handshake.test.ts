import { describe, expect, test } from 'vitest'
import { checkHandshake, type HandshakeTerms } from '../../../src/host/connection/handshake'
import { protocolVersion, type InitializationOptions } from '../../../src/protocol'

const host: HandshakeTerms = { token: 't'.repeat(64), version: '0.1.0', pidNamespace: 'pid:[1]', refusal: undefined }
const options: InitializationOptions = { token: host.token, protocolVersion, client: 'cli', pidNamespace: 'pid:[1]' }

describe('a handshake', () => {
  test('with the right token is accepted', () => {
    expect(checkHandshake(options, host)).toEqual(options)
  })

  test('without a pid namespace is accepted: such a client runs where there are none', () => {
    const without = { token: host.token, protocolVersion, client: 'cli' }
    expect(checkHandshake(without, host)).toEqual(without)
  })

  test.each<[string, unknown, RegExp]>([
    ['with nothing', undefined, /token is missing or wrong/],
    ['with another token', { ...options, token: 'x'.repeat(64) }, /token is missing or wrong/],
    ['with a part of the token', { ...options, token: 't' }, /token is missing or wrong/],
    ['with another protocol', { ...options, protocolVersion: 0 }, /speaks protocol 1, the client 0/],
    ['from another pid namespace', { ...options, pidNamespace: 'pid:[2]' }, /another pid namespace/],
  ])('%s is refused', (_, given, why) => {
    expect(checkHandshake(given, host)).toMatch(why)
  })

  test('is refused by a host without room, with the reason', () => {
    expect(checkHandshake(options, { ...host, refusal: 'full' })).toBe('full')
  })

  test('without the token learns nothing of the room', () => {
    expect(checkHandshake({ ...options, token: '' }, { ...host, refusal: 'full' })).not.toBe('full')
  })
})
