import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PoolFailedError } from '../../../src/core'
import { fixtures, modulePool, next, rejection, temporaryFolder } from './support'

describe('a pool whose workers cannot start', () => {
  it('ends as failed with the error of the module, exit codes and stderr, and does not spin', async () => {
    const pool = modulePool({ module: join(fixtures, 'throws-at-load.cjs'), processes: 2 })
    let starts = 0
    pool.on('workerStart', () => starts++)
    const failed = next(pool, 'failed')
    const results = Array.from({ length: 3 }, () => pool.applyAsync('fn'))
    const [message] = await failed
    expect(message).toContain('exit 1')
    expect(message).toContain('no configuration found')
    expect(pool.failure).toBe(message)
    for (const result of results) {
      const error = await rejection(result.get())
      expect(error).toBeInstanceOf(PoolFailedError)
      expect(error).toMatchObject({
        exits: expect.arrayContaining(['exit 1']) as unknown,
        stderrTail: expect.stringContaining('loading') as unknown,
        cause: { message: 'no configuration found' },
      })
    }
    await pool.join()
    expect(pool.state).toBe('ended')
    expect(starts).toBeLessThanOrEqual(2 + 4)
  })

  it.each([
    ['calls process.exit(7)', 'process.exit(7)', 'exit 7'],
    ['kills its own process', "process.kill(process.pid, 'SIGSEGV'); for (;;);", 'exit -11 (SIGSEGV)'],
    ['has a syntax error', 'const = 1', 'SyntaxError'],
    ['imports what does not exist', "require('no-such-package')", 'no-such-package'],
  ])('says how it ends when the module %s at load', async (_, source, expected) => {
    const module = join(temporaryFolder(), 'module.cjs')
    writeFileSync(module, source)
    const pool = modulePool({ module })
    expect(await rejection(pool.apply('fn'))).toMatchObject({
      name: 'PoolFailedError',
      message: expect.stringContaining(expected) as unknown,
    })
  })

  it('says so when the Node executable does not exist', async () => {
    const pool = modulePool({ nodePath: '/no/such/node' })
    expect(await rejection(pool.apply('double', [1]))).toMatchObject({
      name: 'PoolFailedError',
      message: expect.stringContaining('/no/such/node') as unknown,
    })
    await pool.join()
  })

  it('takes no more tasks, and says why', async () => {
    const pool = modulePool({ module: join(fixtures, 'throws-at-load.cjs') })
    await next(pool, 'failed')
    expect(() => pool.applyAsync('fn')).toThrow(/no configuration found/)
  })

  it('goes on when a worker starts in between', async () => {
    const folder = temporaryFolder()
    const module = join(folder, 'flaky.cjs')
    writeFileSync(
      module,
      `
      const { existsSync, writeFileSync } = require('node:fs')
      const marker = ${JSON.stringify(join(folder, 'seen'))}
      if (!existsSync(marker)) { writeFileSync(marker, ''); throw new Error('not yet') }
      module.exports = () => 'fine'`,
    )
    const pool = modulePool({ module })
    expect(await pool.apply()).toBe('fine')
    expect(pool.failure).toBeNull()
    expect(pool.exitedWorkers[0]).toMatchObject({ exitCode: 1 })
  })
})
