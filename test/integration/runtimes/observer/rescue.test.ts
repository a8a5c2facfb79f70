import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RecordedProcess } from '../../../../src/runtimes/observer/recorder'
import { describePythons, oldestAndNewest } from '../pythons'
import { isAlive, until, WatchedProgram, type Connection, type Done } from './watchedProgram'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-rescue-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const tookATask = (slot: RecordedProcess) => slot.exitCode !== null && slot.phase === 'running'

async function fail(connection: Connection, slot: RecordedProcess, over: Record<string, unknown> = {}): Promise<Done> {
  const { tasks } = await connection.snapshot()
  const label = tasks[String(slot.slot)]?.label ?? '?'
  return connection.ask('fail', {
    pool: slot.poolKey,
    job: slot.job,
    index: slot.index,
    worker: slot.name,
    pid: slot.pid,
    exitCode: slot.exitCode,
    label,
    ...over,
  })
}

const retry = (connection: Connection, slot: RecordedProcess): Promise<Done> =>
  connection.ask('retry', { pool: slot.poolKey, slot: slot.slot, generation: slot.generation, counter: slot.counter })

describePythons(oldestAndNewest, 'rescue in Python $version', ({ path: python }) => {
  it('fails the lost tasks of the first program of seeds/003 while its main thread is blocked in map()', async () => {
    await using program = await WatchedProgram.start({ python, args: ['lost.py'] })
    const connection = await program.connected()
    const lost = await until(() => {
      const slots = program.slots().filter(tookATask)
      return slots.length === 2 && slots
    }, 'two lost tasks')
    expect(lost.map(({ exitCode }) => exitCode)).toEqual([1, 1])
    expect((await connection.snapshot()).waitsIn).toMatchObject({ line: 12, function: '<module>', call: 'Pool.map' })
    expect(await fail(connection, lost[0]!)).toMatchObject({ done: true })
    expect(await fail(connection, lost[0]!)).toEqual({ done: false, why: 'a rescue has dealt with the task already' })
    expect(await fail(connection, lost[1]!)).toMatchObject({ done: true })
    const { code, stdout, stderr } = await program.ended
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File "(\S*\/)?lost.py", line 12, in <module>\n/)
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      `unhang_observer.WorkerLost: task run((${lost[0]!.index},)) was lost: ${lost[0]!.name} (pid ` +
        `${lost[0]!.pid}) exited with code 1`,
    )
    // The frames are the program's and multiprocessing's own.
    expect(stderr).not.toContain('unhang_observer/')
  })

  it.each(['fork', 'spawn', 'forkserver'])('runs a lost task again: every result comes (%s)', async (METHOD) => {
    await using program = await WatchedProgram.start({
      python,
      args: ['retried.py'],
      env: { MARK: join(folder, 'mark'), GO: join(folder, 'go'), METHOD },
    })
    const connection = await program.connected()
    const lost = await program.slot(tookATask, 'a lost task')
    expect(lost).toMatchObject({ exitCode: 0, job: 0, index: 2 })
    expect((await connection.snapshot()).tasks[lost.slot]).toMatchObject({
      label: 'run × 2 (items 4–5)',
      function: 'run',
      first: 4,
      items: 2,
    })
    expect(await retry(connection, lost)).toEqual({ done: true, why: 'the task is in the queue again' })
    expect((await retry(connection, lost)).done).toBe(false)
    expect((await fail(connection, lost)).done).toBe(false)
    writeFileSync(join(folder, 'go'), '')
    expect(await program.ended).toMatchObject({ code: 0, stdout: '[0, 10, 20, 30, 40, 50, 60, 70]\n', stderr: '' })
  })

  it.each([
    ['imap', 'sys.exit', '[0, 10, 20, 30, 40, 50, 60, 70]\n'],
    ['imap_unordered', 'SIGKILL', '[0, 10, 20, 30, 40, 50, 60, 70]\n'],
    ['apply', 'SIGKILL', '[40, 50]\n'],
  ])('runs a lost task of %s again, whatever ended its worker (%s)', async (CALL, HOW, stdout) => {
    await using program = await WatchedProgram.start({
      python,
      args: ['retried.py'],
      env: { MARK: join(folder, 'mark'), CALL, HOW },
    })
    const connection = await program.connected()
    const lost = await program.slot(tookATask, 'a lost task')
    expect(lost.exitCode).toBe(HOW === 'SIGKILL' ? -9 : 0)
    expect((await retry(connection, lost)).done).toBe(true)
    expect(await program.ended).toMatchObject({ code: 0, stdout, stderr: '' })
  })

  it('releases the lock of a dead worker, and only then', async () => {
    await using program = await WatchedProgram.start({ python, args: ['orphaned.py'], env: { GO: join(folder, 'go') } })
    const connection = await program.connected()
    const holder = await program.slot(({ holds }) => holds.includes('tasks'), 'a worker that holds the lock')
    const release = (lock = 'tasks'): Promise<Done> =>
      connection.ask('release', { pool: 1, lock, slot: holder.slot, generation: holder.generation })
    expect(await release()).toEqual({ done: false, why: `${holder.name} (pid ${holder.pid}) is alive` })
    process.kill(holder.pid, 'SIGKILL')
    await program.slot(({ slot, exitCode }) => slot === holder.slot && exitCode === -9, 'its exit')
    writeFileSync(join(folder, 'go'), '')
    // Nobody can take a task: they stay where they are, and the lock stays taken.
    const pool = (
      await until(async () => {
        const snapshot = await connection.snapshot()
        return (snapshot.pools[0]!.taskPipeBytes ?? 0) > 0 && snapshot
      }, 'tasks in the pipe')
    ).pools[0]!
    expect(pool).toMatchObject({
      queued: 2,
      locks: { tasks: 'taken', results: 'free' },
      jobs: [{ call: 'map', function: 'f', total: 2, left: 2 }],
    })
    expect(program.stdout).toBe('')
    expect((await release('results')).why).toBe('that worker does not hold the lock, or it was released for it already')
    expect(await release()).toEqual({ done: true, why: 'the lock is released' })
    expect((await release()).done).toBe(false)
    const { code, stdout, stderr } = await program.ended
    expect({ code, stderr, lines: stdout.trimEnd().split('\n').sort() }).toEqual({
      code: 0,
      stderr: '',
      lines: ['Echo from worker 0', 'Echo from worker 1', 'done'],
    })
  })

  it('does nothing unless the evidence holds', async () => {
    await using program = await WatchedProgram.start({
      python,
      args: ['methods.py', 'fork'],
      env: { GO: join(folder, 'go') },
    })
    const connection = await program.connected()
    const busy = await program.slot(({ phase, poolKey }) => phase === 'running' && poolKey === 1, 'a busy worker')
    expect(await fail(connection, busy)).toEqual({ done: false, why: `${busy.name} (pid ${busy.pid}) is alive` })
    expect(await retry(connection, busy)).toEqual({ done: false, why: `${busy.name} (pid ${busy.pid}) is alive` })
    expect(await fail(connection, busy, { pid: busy.pid + 1 })).toEqual({
      done: false,
      why: `${busy.name} (pid ${busy.pid}) runs the task now`,
    })
    expect(await fail(connection, busy, { job: 99 })).toEqual({ done: false, why: 'the call has ended' })
    expect(await fail(connection, busy, { pool: 77 })).toEqual({ done: false, why: 'the pool has ended' })
    expect(await fail(connection, busy, { pool: 2 })).toEqual({
      done: false,
      why: 'an executor that loses a worker fails its tasks itself',
    })
    await expect(connection.ask('dance')).rejects.toThrow(/no method 'dance'/)
    expect(isAlive(busy.pid, busy.startTicks)).toBe(true)
    expect(existsSync(join(folder, 'go'))).toBe(false)
    writeFileSync(join(folder, 'go'), '')
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
  })
})
