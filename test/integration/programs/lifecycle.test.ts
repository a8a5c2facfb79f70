import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { until, Watch } from './watch'

/** From the start of a watched program to the moment when nobody remembers it. */

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

const ofProgram = (id: string) => watch.pools.filter((pool) => pool.id === id || pool.programId === id)

describe('a watched program', () => {
  it('lists some of the pools that it has made, and takes them along when it leaves the list', async () => {
    const run = await watch.start('many-pools.py', { args: ['25', '3'], stdio: ['pipe', 'pipe', 'pipe'] })
    await run.untilSaid('all')
    const pools = await until('the pools have ended', () => {
      const inside = ofProgram(run.id).filter(({ kind }) => kind === 'watched')
      return inside.length > 0 && inside.every(({ state }) => state === 'ended') ? inside : undefined
    })
    expect(pools.length).toBeLessThanOrEqual(10)
    expect(new Set(pools.map(({ name }) => name))).toEqual(new Set(['many-pools.py:7']))
    expect(ofProgram(run.id).find(({ kind }) => kind === 'program')).toMatchObject({
      name: 'many-pools.py',
      state: 'run',
      failure: null,
      program: { pid: run.pid, observer: 'inside', exitCode: null },
    })

    run.child.stdin!.end('go\n')
    expect(await run.ended).toEqual({ code: 3, signal: null })
    const ended = await until('the program has ended', () =>
      ofProgram(run.id).find(({ kind, state }) => kind === 'program' && state === 'ended'),
    )
    expect(ended).toMatchObject({ program: { exitCode: 3, signal: null }, failure: 'many-pools.py exited with code 3' })
    expect(ended.workers.find(({ name }) => name === 'MainProcess')).toMatchObject({ status: 'exited', exitCode: 3 })
    await watch.host.request('unhang/removePool', { poolId: run.id })
    await until('it has left the list with its pools', () => ofProgram(run.id).length === 0)
  })

  it('that makes no pool is there, and says that it has made none', async () => {
    const run = await watch.start('', {
      flags: ['-c', 'import sys; print("here", flush=True); sys.stdin.readline()'],
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    await run.untilSaid('here')
    // Until the client has said that it has started it, nobody knows its pid.
    const shown = await until('the program is shown', () =>
      ofProgram(run.id).find(({ program }) => program?.pid != null),
    )
    expect(shown).toMatchObject({
      kind: 'program',
      verdicts: [],
      program: { observer: 'waiting', python: null, pid: run.pid },
    })
    expect(shown.workers.map(({ name }) => name)).toEqual(['MainProcess'])
    run.child.stdin!.end()
    expect(await run.ended).toEqual({ code: 0, signal: null })
  })

  it('tells of a command that it has left running, which may be meant to stay, and ends when that does', async () => {
    const run = await watch.start('', { command: ['sh', '-c', 'sleep 9 > /dev/null 2>&1 & sleep 4'] })
    expect(await run.ended).toEqual({ code: 0, signal: null })
    const { pool, verdict } = await run.untilVerdict('orphaned')
    expect(verdict).toMatchObject({
      stuck: false,
      summary: expect.stringMatching(
        /^sleep-\d+ \(pid \d+\) still runs although sh \(pid \d+\) has ended\.$/,
      ) as string,
    })
    expect(pool).toMatchObject({ id: run.id, counts: { stuck: 0 } })
    await until('the program has ended', () => ofProgram(run.id).find(({ state }) => state === 'ended'))
    expect(run.stuck).toEqual([])
  })

  it(
    'cannot be taken off the list while it runs, nor named as a child by somebody who has ' + 'not started it',
    async () => {
      const run = await watch.start('', {
        flags: ['-c', 'import sys; sys.stdin.readline()'],
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      await expect(watch.host.request('unhang/removePool', { poolId: run.id })).rejects.toThrow(
        /still runs\. Terminate it first/,
      )
      const session = await watch.host.request('unhang/runProgram', {
        argv: ['x'],
        cwd: watch.root,
        env: {},
        options: {},
      })
      await expect(
        watch.host.request('unhang/programStarted', { programId: session.programId, pid: process.ppid }),
      ).rejects.toThrow(/is no child of the client that says it started it/)
      await expect(
        watch.host.request('unhang/programStarted', { programId: 'program-000000', pid: run.pid }),
      ).rejects.toThrow(/no watched program program-000000/)
      // Nothing is there to be ended, but it is on the list until it is given up.
      await watch.host.request('unhang/programExited', { programId: session.programId, exitCode: null, signal: null })
      run.child.stdin!.end()
      await run.ended
    },
  )
})
