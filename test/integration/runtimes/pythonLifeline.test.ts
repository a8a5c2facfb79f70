import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { descendantsOf } from './descendants'
import { describePythons, fixtures, everyPython, workerPath } from './pythons'
import { until } from './wireWorker'

const started: ChildProcess[] = []
const workerPids: number[] = []
afterEach(() => {
  for (const pool of started.splice(0)) pool.kill('SIGKILL')
  for (const pid of workerPids.splice(0)) {
    try {
      // Only a worker that is still there after a failed test; its group is its own.
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(workerPath)) process.kill(-pid, 'SIGKILL')
    } catch {
      // Gone, as it should be.
    }
  }
})

/** A pool's process with one worker, in the middle of a task. */
async function poolWith(
  python: string,
  name: string,
  args: readonly unknown[],
): Promise<{ pool: ChildProcess; worker: number }> {
  const pool = spawn(process.execPath, [join(fixtures, 'pool.mjs'), python, workerPath, name, JSON.stringify(args)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  started.push(pool)
  let text = ''
  pool.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  await until(
    () => text.includes('running\n'),
    () => `a task that runs: ${text}`,
  )
  const worker = Number(/^worker (\d+)$/m.exec(text)?.[1])
  workerPids.push(worker)
  return { pool, worker }
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended: who collects it is the business of the init that adopted it.
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describePythons(everyPython, 'when the pool of a Python $version worker is killed', ({ path }) => {
  it.each([
    ['sleeps', 'say_and_sleep', [300]],
    ['spins', 'spin', [300]],
    ['is in a regular expression that never ends', 'hold_gil_in_regex', []],
    ['is in C code that keeps the GIL, with a child beside it', 'hold_gil_in_c', [300]],
    ['swallows every error', 'soft_swallowing', []],
  ])('a worker that %s ends with its process group', async (_, name, args) => {
    const { pool, worker } = await poolWith(path, name, args)
    const family = [worker, ...descendantsOf(worker)]
    expect(family.every(isAlive)).toBe(true)
    expect(family).toHaveLength(name === 'hold_gil_in_c' ? 2 : 1)
    const killed = performance.now()
    pool.kill('SIGKILL')
    await until(
      () => !family.some(isAlive),
      () => `the end of ${family.filter(isAlive).join(', ')}`,
    )
    // The promise is 2 s; the machine may be busy with other things.
    expect(performance.now() - killed).toBeLessThan(5_000)
  })
})
