import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limitedGroup } from '../processes/controlGroup'
import { lives, until, Workspace } from '../cli/workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
  // Takes what its item says, in megabytes that are really written to.
  await workspace.write(
    'take.js',
    'exports.default = (megabytes) => { const taken = []; for (let at = 0; at < megabytes; at++) ' +
      'taken.push(Buffer.alloc(1e6, 1)); return taken.length }\n',
  )
  await workspace.write(
    'take.py',
    'def take(megabytes):\n    return len(bytearray(megabytes * 1000000))\n\n\ndef limited(megabytes):\n    ' +
      'import resource\n    resource.setrlimit(resource.RLIMIT_AS, (400000000, 400000000))\n    return ' +
      'take(megabytes)\n',
  )
})
afterEach(async () => {
  await workspace.dispose()
})

const exit = (name: string) => workspace.untilPool(name, ({ state }) => state === 'ended', { withinMs: 60_000 })

describe.skipIf(process.platform !== 'linux')('a limit of the address space', { retry: 0, timeout: 120_000 }, () => {
  it('fails the task of a command that reaches it, with its own words, and no other', async () => {
    await workspace.writeTasks([
      {
        label: 'Take',
        command: 'ulimit -v 200000; python3 -c "import sys; bytearray(int(sys.argv[1]) * 1000000)" ${item}',
        items: [1, 1000, 2],
        processes: 1,
      },
    ])
    const { code, stderr } = await workspace.run('pool', 'Take')
    expect(code).toBe(1)
    expect(stderr).toMatch(/MemoryError/)
    expect((await exit('Take')).counts).toMatchObject({ done: 2, failed: 1, lost: 0 })
  })

  it('fails the task of a Python worker that reaches it, and the worker goes on', async () => {
    await workspace.writeTasks([{ label: 'Take', python: 'take:limited', items: [1, 1000, 2], processes: 1 }])
    const { code, stderr } = await workspace.run('pool', 'Take')
    expect(code).toBe(1)
    expect(stderr).toMatch(/MemoryError/)
    expect((await exit('Take')).counts).toMatchObject({ done: 2, failed: 1, lost: 0 })
  })

  it('that is too small for a host is told in one line, and `run` runs its program unwatched', async () => {
    await workspace.writeTasks([{ label: 'Say', command: 'echo ${item}', items: [1], processes: 1 }])
    const limited = (...args: string[]) => {
      const { command, ...options } = workspace.commandLine(args)
      return workspace.startAs(['sh', '-c', 'ulimit -v 2000000; exec "$@"', 'sh', ...command], options).finished
    }
    const said = /address space is limited to 1\.9 GiB here \(ulimit -v\), and a host needs 3/
    const { code, stderr } = await limited('pool', 'Say')
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 })
    expect(stderr).toMatch(said)
    const ran = await limited('run', '--', 'echo', 'ran')
    expect(ran).toMatchObject({ code: 0, stdout: 'ran\n' })
    expect(ran.stderr).toMatch(said)
  })

  it('is no matter to a host with some room left: it answers, runs its pools and ends them', async () => {
    await workspace.writeTasks([
      { label: 'Wait', command: 'sleep 600', items: [1, 2], processes: 2 },
      { label: 'Next', command: 'echo ${item}', items: { range: [1, 20] }, processes: 2 },
    ])
    expect(await workspace.run('pool', '--detach', 'Wait')).toMatchObject({ code: 0 })
    await workspace.untilPool('Wait', ({ counts }) => counts.running === 2)
    const host = await workspace.hostPid()
    const usedKb = Number(/VmSize:\s+(\d+)/.exec(readFileSync(`/proc/${host}/status`, 'utf8'))![1])
    execFileSync('prlimit', ['--pid', String(host), `--as=${usedKb * 1024 + 1e9}`])
    expect(await workspace.run('pool', 'Next')).toMatchObject({ code: 0 })
    expect(await workspace.run('terminate', 'Wait')).toMatchObject({ code: 0, stdout: '' })
    expect((await workspace.pools()).map(({ name, state }) => [name, state])).toEqual([
      ['Wait', 'ended'],
      ['Next', 'ended'],
    ])
    expect(await workspace.hostPid()).toBe(host)
  })

  it('is told by the program that reaches it, and its end is complete', async () => {
    await workspace.write(
      'pool.py',
      'import multiprocessing, take\nif __name__ == "__main__":\n    with ' +
        'multiprocessing.get_context("fork").Pool(2) as pool:\n        print(pool.map(take.take, [1, 5000], 1))\n',
    )
    const ran = await workspace.run('run', '--', 'sh', '-c', 'ulimit -v 800000; exec python3 pool.py')
    expect(ran.stderr).toMatch(/MemoryError/)
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    await until('nothing is left', async () => ((await workspace.processes()).length === 1 ? true : undefined))
    expect((await exit('sh')).workers.at(0)).toMatchObject({ exitCode: 1, signal: null })
  })
})

const group = limitedGroup(300)
await group?.remove()

describe.skipIf(group === undefined)(
  `a memory limit of a control group${group === undefined ? ' (none can be made here)' : ''}`,
  { retry: 0, timeout: 120_000 },
  () => {
    it(
      'that host and workers share, as in a container, costs the worker that breaks it, and ' + 'the pool goes on',
      async () => {
        const shared = limitedGroup(400)!
        try {
          await workspace.writeTasks([
            { label: 'Take', module: './take.js', items: [1, 2000, 2], processes: 1 },
            { label: 'Wait', command: 'sleep 600', items: [1], processes: 1 },
          ])
          const { command, ...options } = workspace.commandLine(['pool', '--detach', 'Take'])
          expect(
            await workspace.startAs(
              ['sh', '-c', `echo $$ > ${join(shared.path, 'cgroup.procs')}; exec "$@"`, 'sh', ...command],
              options,
            ).finished,
          ).toMatchObject({ code: 0 })
          const host = await workspace.hostPid()
          expect(readFileSync(join(shared.path, 'cgroup.procs'), 'utf8').split('\n')).toContain(String(host))
          const ended = await exit('Take')
          expect(ended.counts).toMatchObject({ done: 2, lost: 1, failed: 0 })
          expect(ended.workers.find(({ signal }) => signal !== null)).toMatchObject({
            exitCode: null,
            signal: 'SIGKILL',
          })
          expect(await lives(host)).toBe(true)
          expect(await workspace.run('pool', '--detach', 'Wait')).toMatchObject({ code: 0 })
          await workspace.untilPool('Wait', ({ counts }) => counts.running === 1)
          expect(await workspace.run('terminate', 'Wait')).toMatchObject({ code: 0, stdout: '' })
          expect(await workspace.run('host', 'stop')).toMatchObject({ code: 0 })
        } finally {
          await shared.remove()
        }
      },
    )
  },
)
