import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { Pool } from '../../../../src/core'
import type { ModulePoolOptions, PoolOptions } from '../../../../src/core'
import { newest, workerPath } from '../../runtimes/pythons'
import { isRunning, repository, until } from '../support'

/** The same functions in functions.js and functions.py. */
export const fixtures = join(repository, 'test/fixtures/ported')
/** Longer than anything here takes on a busy machine; a hang is what these tests look for. */
export const deadlineMs = 15_000

export type Changes = Partial<Omit<ModulePoolOptions, 'module' | 'nodePath' | 'workerPath'>>

/** What the tests run with: every one of them with each. */
export interface Runtime {
  readonly name: 'Node' | 'Python'
  options(changes: Changes): PoolOptions
  /** A function of a module that fails in this way while it is loaded. */
  atLoad(way: string): { readonly module: string; readonly name: string }
  /** As messages say where in a result something is. */
  readonly badResultPath: string
}

/** What a crash leaves (core files) must not be left in the repository. */
const folder = mkdtempSync(join(tmpdir(), 'unhang-ported-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

export const runtimes: readonly Runtime[] = [
  {
    name: 'Node',
    options: (changes) => ({ cwd: folder, module: join(fixtures, 'functions.js'), ...changes }),
    atLoad: (way) => ({ module: join(fixtures, 'at_load', `${way}.js`), name: 'identity' }),
    badResultPath: 'result.bad',
  },
  {
    name: 'Python',
    options: (changes) => ({
      cwd: folder,
      python: 'functions',
      pythonPath: newest.path,
      workerPath,
      env: { PYTHONPATH: fixtures, PYTHONDONTWRITEBYTECODE: '1' },
      ...changes,
    }),
    atLoad: (way) => ({ module: `at_load.${way}`, name: 'identity' }),
    badResultPath: "result['bad']",
  },
]

/** Pids of all workers that a pool ever had. */
const pidsOf = new Map<Pool, Set<number>>()
const endedAfterTest = new Set<Pool>()

function make(runtime: Runtime, changes: Changes): Pool {
  const pool = new Pool(runtime.options({ processes: 2, ...changes }))
  const pids = new Set<number>()
  pidsOf.set(pool, pids)
  pool.on('workerStart', ({ pid }) => {
    pids.add(pid)
  })
  return pool
}

/** A pool of two workers that is ended after the test, whatever became of it. */
export function poolOf(runtime: Runtime, changes: Changes = {}): Pool {
  const pool = make(runtime, changes)
  endedAfterTest.add(pool)
  return pool
}

/** One pool for all tests of a describe block, as the originals have: each test must leave it as good as it was. */
export function sharedPoolOf(runtime: Runtime, changes: Changes = {}): { readonly pool: Pool } {
  const shared: { pool?: Pool } = {}
  beforeAll(() => {
    shared.pool = make(runtime, changes)
  })
  afterAll(async () => {
    await end(shared.pool!)
  })
  return shared as { readonly pool: Pool }
}

async function end(pool: Pool): Promise<void> {
  await pool.kill()
  pool.dispose()
  await within(nothingLeft(pool), 'every worker of the pool is gone')
  pidsOf.delete(pool)
}

/** Once every process of the pool is gone. */
export function nothingLeft(pool: Pool): Promise<unknown> {
  return until(() => [...(pidsOf.get(pool) ?? [])].every((pid) => !isRunning(pid)), 'no worker is left', deadlineMs)
}

afterEach(async () => {
  await Promise.all([...endedAfterTest].map(end))
  endedAfterTest.clear()
})

/** What it resolves with; a rejection when it does neither in time. */
export async function within<T>(promise: Promise<T>, what: string, ms = deadlineMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`hangs: ${what} (after ${ms} ms)`))
    }, ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** CPython's `p.close(); p.join()`, with a deadline; and then nothing of it is left. */
export async function closeAndJoin(pool: Pool): Promise<void> {
  pool.close()
  await within(pool.join(), 'join()')
  expect(pool.state).toBe('ended')
  await nothingLeft(pool)
}

/** 0 to n - 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index)
}
