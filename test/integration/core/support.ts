import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach } from 'vitest'
import { Pool } from '../../../src/core'
import type { CommandPoolOptions, ModulePoolOptions, PoolEvents } from '../../../src/core'
import type { ShutdownDependencies } from '../../../src/shutdown'

export const repository = resolve(import.meta.dirname, '../../..')
export const fixtures = join(repository, 'test/fixtures/core')
export const tasks = join(fixtures, 'tasks.js')

/** The workers run dist/node-worker.js: built again when a source is newer. */
function ensureBuilt(): void {
  const built = (file: string) => statSync(join(repository, 'dist', file), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const newest = ['core', 'runtimes', 'diagnosis', 'shutdown', 'processes']
    .flatMap((room) => readdirSync(join(repository, 'src', room), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0)
  if (Math.min(built('core.js'), built('node-worker.js')) < newest) {
    execFileSync(process.execPath, [join(repository, 'src/build/build.mjs'), '--only=core,node-worker'], {
      cwd: repository,
    })
  }
}
ensureBuilt()

const pools = new Set<Pool>()
const folders = new Set<string>()
const extraPids = new Set<number>()

/** A pool that is ended after the test, whatever became of it. */
export function modulePool(options: Partial<ModulePoolOptions> = {}, system?: ShutdownDependencies): Pool {
  return remember(new Pool({ module: tasks, processes: 1, ...options }, system))
}

/** The same with a command. */
export function commandPool(
  command: string | readonly string[],
  options: Partial<CommandPoolOptions> = {},
  system?: ShutdownDependencies,
): Pool {
  return remember(new Pool({ command, processes: 2, ...options }, system))
}

/** The same with a pool that the test has made. */
export function remember(pool: Pool): Pool {
  pools.add(pool)
  return pool
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unhang-test-'))
  folders.add(folder)
  return folder
}

/** A process that is ended after the test if it still runs; only what the test itself has started. */
export function endAfterTest(pid: number): void {
  extraPids.add(pid)
}

afterEach(async () => {
  await Promise.all(
    [...pools].map(async (pool) => {
      await pool.kill()
      pool.dispose()
    }),
  )
  pools.clear()
  for (const pid of extraPids) {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  }
  extraPids.clear()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
})

/** False for zombies too: in a container nobody may collect what was re-parented. */
export function isRunning(pid: number): boolean {
  const state = stateOf(pid)
  return state !== undefined && state !== 'Z' && state !== 'X'
}

export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  } catch {
    return undefined
  }
}

/** Waits for a condition instead of a time. */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  deadlineMs = 20_000,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const value = await condition()
    if (value !== false && value !== undefined && value !== null) return value as Exclude<T, false | undefined | null>
    if (Date.now() > deadline) throw new Error(`did not happen within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The arguments of the next event, or of the next one that fits. */
export function next<E extends keyof PoolEvents>(
  pool: Pool,
  event: E,
  fits: (...args: PoolEvents[E]) => boolean = () => true,
): Promise<PoolEvents[E]> {
  return new Promise((resolve) => {
    const listener = (...args: unknown[]): void => {
      if (!fits(...(args as PoolEvents[E]))) return
      pool.off(event, listener as never)
      resolve(args as PoolEvents[E])
    }
    pool.on(event, listener as never)
  })
}

/** The pids of all workers, once each of them is ready for a task. */
export async function readyPids(pool: Pool): Promise<number[]> {
  const count = pool.options.processes ?? 1
  await until(
    () => pool.workers.filter((worker) => worker.status === 'idle' || worker.status === 'busy').length === count,
    `${count} workers ready`,
  )
  return pool.workers.map((worker) => worker.pid)
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it resolved')
}
