import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until, WatchedProgram } from './watchedProgram'

// Debian's packages are for Debian's own interpreter.
const python = '/usr/bin/python3'

/** Whether it has that module, in its version or any. */
function has(module: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
    return true
  } catch {
    console.log(`Without ${module} (Debian: python3-${module}) its pools are not tested.`)
    return false
  }
}

let go: string
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-libraries-'))
  go = join(folder, 'go')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe.skipIf(!has('joblib'))('joblib', () => {
  it('is seen through loky: workers, tasks, jobs and exits', async () => {
    await using program = await WatchedProgram.start({ python, args: ['with_joblib.py'], env: { GO: go } })
    const connection = await program.connected()
    await until(() => program.slots().filter(({ phase }) => phase === 'running').length === 2, 'two busy workers')
    const snapshot = await connection.snapshot()
    expect(snapshot.waitsIn).toMatchObject({ line: 15, function: '<module>', call: 'Parallel.__call__' })
    expect(
      Object.values(snapshot.tasks)
        .map(({ label }) => label)
        .sort(),
    ).toEqual(['run(0)', 'run(1)'])
    expect(snapshot.pools).toMatchObject([
      { library: 'loky', name: 'with_joblib.py:15', startMethod: 'loky', processes: 2, state: 'run', queued: 2 },
    ])
    expect(snapshot.pools[0]!.jobs).toMatchObject(
      [0, 1, 2, 3].map((job) => ({ job, function: 'run', total: 1, left: 1 })),
    )
    expect(snapshot.pools[0]!.pids.length).toBe(2)
    writeFileSync(go, '')
    expect(await program.ended).toMatchObject({ code: 0, stdout: '[0, 2, 4, 6]\nTerminatedWorkerError\n' })
    expect(program.slots().filter(({ exitCode }) => exitCode === 5)).toMatchObject([
      { phase: 'running', label: 'run(99)' },
    ])
  })
})

describe.skipIf(!has('billiard'))('billiard', () => {
  it('is seen: workers, tasks, jobs and exits', async () => {
    await using program = await WatchedProgram.start({ python, args: ['with_billiard.py'], env: { GO: go } })
    const connection = await program.connected()
    await until(() => program.slots().filter(({ phase }) => phase === 'running').length === 2, 'two busy workers')
    const snapshot = await connection.snapshot()
    expect(snapshot.waitsIn).toMatchObject({ function: '<module>', call: 'AsyncResult.get' })
    expect(
      Object.values(snapshot.tasks)
        .map(({ label }) => label)
        .sort(),
    ).toEqual(['run × 2 (items 0–1)', 'run × 2 (items 2–3)'])
    expect(snapshot.pools).toMatchObject([
      {
        library: 'billiard',
        name: 'with_billiard.py:16',
        startMethod: 'fork',
        processes: 2,
        state: 'run',
        queued: 1,
        threads: { workers: true, tasks: true, results: true },
        jobs: [
          { call: 'map', function: 'run', total: 4, left: 4, chunkSize: 2 },
          { call: 'apply', total: 1, left: 1 },
        ],
      },
    ])
    writeFileSync(go, '')
    await until(
      () => program.stdout.includes('lost') || program.slots().some(({ exitCode }) => exitCode === 5),
      'the exit of a worker',
    )
    const lost = await program.slot(({ exitCode }) => exitCode === 5, 'its exit code')
    expect(lost).toMatchObject({ phase: 'running', name: expect.stringMatching(/^ForkPoolWorker-/) as string })
    expect(await program.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('[0, 2, 4, 6] 2\n') as string,
    })
  })
})
