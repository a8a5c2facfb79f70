import { describe, expect, it } from 'vitest'
import { PoolOptionError } from '../../../src/core'
import type { PoolOptions } from '../../../src/core'
import { checkOptions } from '../../../src/core/terms/options'

const optionOf = (options: object): string | undefined => {
  try {
    checkOptions(options as PoolOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(PoolOptionError)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as PoolOptionError).message.startsWith(`${(error as PoolOptionError).option}: `)).toBe(true)
    return (error as PoolOptionError).option
  }
  return undefined
}

describe('pool options', () => {
  it.each([
    ['module', {}],
    ['command', { command: ['x'], module: 'y' }],
    ['command', { command: '' }],
    ['command', { command: [] }],
    ['command', { command: ['a', 1] }],
    ['module', { module: '' }],
    ['module', { module: './does/not/exist.js' }],
    ['processes', { command: 'x', processes: 0 }],
    ['processes', { command: 'x', processes: -1 }],
    ['processes', { command: 'x', processes: 1.5 }],
    ['processes', { command: 'x', processes: '2' }],
    ['processes', { command: 'x', processes: Number.NaN }],
    ['processes', { command: 'x', processes: 100_000 }],
    ['maxTasksPerChild', { command: 'x', maxTasksPerChild: 0 }],
    ['stuckAfterMs', { command: 'x', stuckAfterMs: 0 }],
    ['timeoutMs', { command: 'x', timeoutMs: -5 }],
    ['timeoutMs', { command: 'x', timeoutMs: 2 ** 31 }],
    ['retries', { command: 'x', retries: -1 }],
    ['gracePeriodMs', { command: 'x', gracePeriodMs: Infinity }],
    ['useSigkill', { command: 'x', useSigkill: 'yes' }],
    ['onStuck', { command: 'x', onStuck: 'explode' }],
    ['onFailure', { command: 'x', onFailure: 'stuck' }],
    ['cwd', { command: 'x', cwd: '/does/not/exist' }],
    ['env', { command: 'x', env: { A: 1 } }],
    ['name', { command: 'x', name: '' }],
  ])('name %s when it cannot be used: %j', (option, options) => {
    expect(optionOf(options)).toBe(option)
  })

  it("have CPython's and Keras' defaults", () => {
    expect(checkOptions({ command: 'convert ${item}' })).toMatchObject({
      name: 'convert',
      stuckAfterMs: 30_000,
      retries: 0,
      gracePeriodMs: 100,
      useSigkill: false,
      onStuck: 'flag',
      onFailure: 'continue',
      maxTasksPerChild: Infinity,
      timeoutMs: undefined,
    })
  })

  it('name a pool after its program or module', () => {
    expect(checkOptions({ command: ['/usr/bin/convert', '${item}'] }).name).toBe('convert')
    expect(checkOptions({ module: './test/fixtures/core/double.mjs#triple' })).toMatchObject({
      name: 'double.mjs',
      exportName: 'triple',
    })
  })
})
