import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describePythons, oldestAndNewest } from '../runtimes/pythons'
import { runFixture, runProgram, untilVerdict, whyNow } from './programs'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

describePythons(oldestAndNewest, 'why, on Python $version', (python) => {
  it('says of the program of seeds/003 which task was lost, with whom, and what to type, within 5 s', async () => {
    const program = await runFixture(workspace, 'seeds-003-lost.py', { python })
    await untilVerdict(workspace, 'lost-task', { withinMs: 5000 })
    const { code, stdout } = await workspace.run('why')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^seeds-003-lost\.py:10 {2}\S+ {2}in seeds-003-lost\.py \(pid \d+\)$/m)
    expect(stdout).toMatch(
      /stuck \(lost-task\): .*task 1 run\(\(1,\)\) was lost when ForkPoolWorker-\d+ \(pid \d+\) exited with code 1/,
    )
    expect(stdout).toMatch(
      /unhang rescue seeds-003-lost\.py:10 --fail +# .*\n.*unhang rescue seeds-003-lost\.py:10 --retry/,
    )
    expect(await lives(Number(/in seeds-003-lost\.py \(pid (\d+)\)/.exec(stdout)?.[1]))).toBe(true)
    // The same was said where the program runs, once.
    await until('the note', () => program.stderr.includes('stuck (lost-task)') || undefined)
    expect(program.stderr.match(/task 1 run\(\(1,\)\) was lost/g)).toHaveLength(1)
    expect(program.stdout).toBe('')
  })
})

describe('why', () => {
  it(
    'says of the stubborn program of seeds/003 that it does not listen to SIGTERM, before ' + 'anything was sent',
    async () => {
      await runFixture(workspace, 'seeds-003-stubborn.py')
      const pool = await untilVerdict(workspace, 'sigterm-ignored')
      const verdict = pool.verdicts.find(({ code }) => code === 'sigterm-ignored')!
      expect(verdict.pid === null || (await lives(verdict.pid))).toBe(true)
      const { stdout } = await workspace.run('why')
      expect(stdout).toContain('sigterm-ignored')
    },
  )
  it('has exit code 0 for a program that works, and says what runs', async () => {
    await workspace.write(
      'fine.py',
      'import multiprocessing as mp, time\nwith mp.Pool(2) as p:\n    p.map(time.sleep, [0.3] * 40)\n',
    )
    runProgram(workspace, 'fine.py')
    await until('the pool', async () => (await whyNow(workspace)).pools.find(({ kind }) => kind === 'watched'))
    const { code, stdout } = await workspace.run('why')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^nothing is stuck\n/)
    expect(stdout).toMatch(/fine\.py:2 .*in fine\.py/)
  })
  it('is about one pool, one program or one pid when it is named', async () => {
    await runFixture(workspace, 'seeds-003-lost.py')
    const pool = await untilVerdict(workspace, 'lost-task')
    for (const name of [pool.name, pool.id, 'seeds-003-lost.py', String(pool.verdicts[0]!.pid)]) {
      const { code, pools } = await whyNow(workspace, name)
      expect({ name, code, has: pools.some(({ id }) => id === pool.id) }).toEqual({ name, code: 1, has: true })
    }
    const { code, stderr } = await workspace.run('why', 'nothing')
    expect(code).toBe(1)
    expect(stderr).toContain('nothing here is called nothing')
  })
  it('has the verdicts of ordinary pools', async () => {
    await workspace.run('pool', 'Stuck', '--detach')
    const pool = await untilVerdict(workspace, 'no-progress', { withinMs: 30_000 })
    expect(pool).toMatchObject({ name: 'Stuck', kind: 'module', programId: null })
    const { code, stdout } = await workspace.run('why', 'Stuck')
    expect(code).toBe(1)
    expect(stdout).toMatch(/unhang terminate \d+ +# end this worker/)
  })
  it('starts no host to say that nothing is stuck', async () => {
    expect(await workspace.run('why')).toMatchObject({ code: 0, stdout: 'nothing is stuck: no pool runs here\n' })
    expect(await workspace.processes()).toEqual([])
  })
})

describe('ps of a program', () => {
  it('nests its pools below it, and has them flat in JSON', async () => {
    await runFixture(workspace, 'seeds-003-lost.py')
    await untilVerdict(workspace, 'lost-task')
    const { stdout } = await workspace.run('ps')
    expect(stdout).toMatch(/^seeds-003-lost\.py {2}\S+ {2}run {2}pid \d+, python 3\.\d+\.\d+, 1 pool/m)
    expect(stdout).toMatch(/^ {2}seeds-003-lost\.py:10 {2}\S+ {2}run/m)
    const [program, pool] = await workspace.pools()
    expect(pool!.programId).toBe(program!.id)
    expect(pool!.verdicts.map(({ code }) => code)).toContain('lost-task')
  })
})
