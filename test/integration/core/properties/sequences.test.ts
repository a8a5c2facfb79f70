import { spawn } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pool } from '../../../../src/core'
import type { ShutdownDependencies } from '../../../../src/shutdown'
import { commandPool, isRunning, modulePool, remember, repository, temporaryFolder } from '../support'
import { plans } from './steps'
import type { Plan, PoolShape } from './steps'
import { Trial } from './trial'

const fixtures = join(repository, 'test/fixtures/properties')

/**
 * Random sequences of everything that can be asked of a pool or can happen to it: the same ones each time, so that a
 * change is judged by what it does; UNHANG_SEED=random looks for new ones. A failure prints the seed and the path:
 * UNHANG_SEED and UNHANG_PATH run it again, UNHANG_RUNS runs more than the usual number.
 */
const { UNHANG_SEED = '3020702' } = process.env
const seed = UNHANG_SEED === 'random' ? Date.now() & 0x7fffffff : Number(UNHANG_SEED)
const path = process.env.UNHANG_PATH
console.log(`properties: UNHANG_SEED=${seed}`)

function parameters(runs: number): fc.Parameters<[Plan]> {
  // What depends on the moment does not get smaller by being tried again.
  return {
    seed,
    numRuns: Number(process.env.UNHANG_RUNS ?? runs),
    endOnFailure: true,
    includeErrorInReport: true,
    ...(path === undefined ? {} : { path }),
  }
}

function environment(shape: PoolShape, folder: string): Record<string, unknown> {
  const { failingStarts, maxMemoryMib, ...options } = shape
  const given = Object.entries({
    ...options,
    maxMemoryPerChildBytes: maxMemoryMib === undefined ? undefined : maxMemoryMib * 2 ** 20,
  }).filter(([, value]) => value !== undefined)
  return {
    ...Object.fromEntries(given),
    gracePeriodMs: 50,
    env: { UNHANG_JOURNAL: join(folder, 'journal') },
    ...(failingStarts === undefined
      ? {}
      : { initializer: 'sometimes', initargs: [join(folder, 'starts'), failingStarts] }),
  }
}

function node(shape: PoolShape, folder: string, system: ShutdownDependencies): Pool {
  return modulePool({ module: join(fixtures, 'tasks.cjs#item'), ...environment(shape, folder) }, system)
}

function python(shape: PoolShape, folder: string, system: ShutdownDependencies): Pool {
  return remember(new Pool({ python: 'property_tasks:item', cwd: fixtures, ...environment(shape, folder) }, system))
}

function command(
  { processes, retries, timeoutMs, softTimeoutMs, maxQueued, onFailure }: PoolShape,
  folder: string,
  system: ShutdownDependencies,
): Pool {
  const given = Object.entries({ processes, retries, timeoutMs, softTimeoutMs, maxQueued, onFailure }).filter(
    ([, value]) => value !== undefined,
  )
  return commandPool(
    ['/bin/sh', join(fixtures, 'task.sh'), '${item}'],
    { ...Object.fromEntries(given), gracePeriodMs: 50, env: { UNHANG_JOURNAL: join(folder, 'journal') } },
    system,
  )
}

describe('whatever happens to a pool, every task ends once, begins at most once, and nothing is left', () => {
  let bystander: number | undefined
  beforeAll(() => {
    bystander = spawn('sleep', ['600'], { stdio: 'ignore' }).pid
  })
  afterAll(() => {
    expect(bystander !== undefined && isRunning(bystander)).toBe(true)
    if (bystander !== undefined) process.kill(bystander, 'SIGKILL')
  })

  it.each([
    ['node', node, 25],
    ['python', python, 25],
    ['command', command, 15],
  ] as const)(
    '%s workers',
    async (runtime, make, runs) => {
      await fc.assert(
        fc.asyncProperty(plans, async (plan) => {
          const folder = temporaryFolder()
          const trial = new Trial(plan, runtime, join(folder, 'journal'))
          await trial.run((shape, system) => make(shape, folder, system))
        }),
        parameters(runs),
      )
    },
    600_000,
  )
})
