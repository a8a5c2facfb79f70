import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findPython, spawnPythonWorker } from '../../../src/runtimes'
import { fixtures, itWithPythonTooOld, newest, workerPath } from './pythons'
import { WireWorkers } from './wireWorker'

let workers = new WireWorkers()
afterEach(async () => {
  await workers.endAll()
  workers = new WireWorkers()
})

describe('the interpreter of a Python worker', () => {
  it('is found here', async () => {
    const worker = await workers.start(findPython(undefined, fixtures, process.env))
    expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
  })

  itWithPythonTooOld('says itself that it is too old, and what to set', async ([{ path }]) => {
    const worker = workers.spawn(path)
    const { kind, value } = await worker.next()
    expect(kind).toBe('loadFailed')
    expect(value).toMatchObject({ kind: 'error', name: 'PythonVersionError' })
    expect((value as Error).message).toMatch(
      / is Python [23]\.\d+\.\d+; workers need Python 3\.8 or later\. Set "pythonPath" to a newer one\.$/,
    )
    expect(await worker.exited).toEqual({ code: 1, signal: null })
  })

  it('that cannot be started is told by the child', async () => {
    const started = spawnPythonWorker({ pythonPath: join(fixtures, 'no-python'), workerPath, cwd: fixtures, env: {} })
    expect(started).not.toHaveProperty('channel')
    const [error] = (await once(started.child, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ENOENT')
  })

  it('leads a session of its own', async () => {
    const worker = await workers.start(newest.path)
    const [, , group, session] = readFileSync(`/proc/${worker.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
    expect([group, session]).toEqual([worker.pid, worker.pid])
  })
})
