import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RealTerminal } from './pseudoTerminal'
import { describePythons, oldestAndNewest } from '../runtimes/pythons'
import { copyFixture, runFixture, runProgram, untilVerdict, whyNow } from './programs'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

/** Task 1 leaves at its first run and works at the second. */
const failsOnce = `
import multiprocessing as mp, os, sys

def run(n):
    if n == 1 and not os.path.exists('tried'):
        open('tried', 'w').close()
        sys.exit(3)
    return n * n

if __name__ == '__main__':
    with mp.Pool(2) as p:
        try:
            print('results:', p.map(run, range(4), chunksize=1), flush=True)
        except mp.ProcessError as error:
            print('caught:', type(error).__name__, error, flush=True)
    print('went on', flush=True)
`

describePythons(oldestAndNewest, 'a rescue, on Python $version', (python) => {
  it('--fail makes map() raise in the program of seeds/003, which ends by it', async () => {
    const program = await runFixture(workspace, 'seeds-003-lost.py', { python })
    await untilVerdict(workspace, 'lost-task')
    const { code, stdout } = await workspace.run('rescue', 'seeds-003-lost.py:10', '--fail', '--yes')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^done: .*run\(\(1,\)\)/m)
    const ended = await program.finished
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/unhang_observer\.WorkerLost: .*ForkPoolWorker-\d+ .*exited with code 1/)
  })
  it('--fail can be caught, and the program goes on', async () => {
    await workspace.write('once.py', failsOnce)
    const program = runProgram(workspace, 'once.py', { python })
    const pool = await untilVerdict(workspace, 'lost-task')
    const task = pool.verdicts.find(({ code }) => code === 'lost-task')!.task!
    expect((await workspace.run('rescue', pool.name, '--fail', '--task', task, '--yes')).code).toBe(0)
    const { code, stdout } = await program.finished
    expect(code).toBe(0)
    expect(stdout).toMatch(/^caught: WorkerLost .*\nwent on\n$/)
  })
  it('--retry runs the task again, and the program gets all its results', async () => {
    await workspace.write('once.py', failsOnce)
    const program = runProgram(workspace, 'once.py', { python })
    const pool = await untilVerdict(workspace, 'lost-task')
    const { code, stdout } = await workspace.run('rescue', pool.name, '--retry', '--yes')
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^done: run\(1\)/) as string })
    expect(await program.finished).toMatchObject({ code: 0, stdout: 'results: [0, 1, 4, 9]\nwent on\n' })
  })
  it('releases the lock that the killed worker of seeds/001 held, and every echo comes', async () => {
    // Whether the one that is killed holds the lock is a matter of luck ("completes/deadlock from run to run"): one of
    // two, when both had the time to ask for a task.
    await copyFixture(workspace, 'seeds-001-reader.py')
    await copyFixture(workspace, 'slow-prints.py')
    for (let attempt = 1; ; attempt += 1) {
      const program = workspace.start(['run', '--', python.path, 'slow-prints.py', 'seeds-001-reader.py'])
      const found = await until(
        'a verdict, or the end of the program',
        async () => {
          if (program.child.exitCode !== null) return 'finished' as const
          return (await whyNow(workspace)).pools.find(({ verdicts }) =>
            verdicts.some((verdict) => verdict.code === 'orphaned-queue-lock'),
          )
        },
        { withinMs: 20_000 },
      )
      if (found === 'finished') {
        if (attempt === 20) throw new Error('it never deadlocked')
        continue
      }
      const verdict = found.verdicts.find(({ code }) => code === 'orphaned-queue-lock')!
      expect(await lives(verdict.pid!)).toBe(false)
      await until('the note in its terminal', () => program.stderr.includes('stuck (orphaned-queue-lock)') || undefined)
      const { code, stdout } = await workspace.run('rescue', found.name, '--yes')
      expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^done: /) as string })
      const ended = await program.finished
      expect(ended.code).toBe(0)
      expect(ended.stdout.match(/Echo from worker/g)).toHaveLength(2)
      return
    }
  })
})

describe('a rescue', () => {
  it('does nothing without a terminal and without --yes', async () => {
    await workspace.write('once.py', failsOnce)
    runProgram(workspace, 'once.py')
    const pool = await untilVerdict(workspace, 'lost-task')
    const undecided = await workspace.run('rescue', pool.name)
    expect(undecided.code).toBe(1)
    expect(undecided.stderr).toMatch(/--fail .*\n.*--retry/)
    const unasked = await workspace.run('rescue', pool.name, '--retry')
    expect(unasked.code).toBe(1)
    expect(unasked.stderr).toMatch(/run again task 1 run\(1\).*\n(.*\n)*.*--yes/)
    expect((await whyNow(workspace)).code).toBe(1)
  })
  it('asks in a terminal what becomes of the lost task, says what it will do, and does it', async () => {
    await workspace.write('once.py', failsOnce)
    const program = runProgram(workspace, 'once.py')
    const pool = await untilVerdict(workspace, 'lost-task')
    const refused = new RealTerminal(workspace, ['rescue', pool.name])
    await refused.untilShown('[f/r]')
    refused.type('r\n')
    await refused.untilShown('[y/N]')
    expect(refused.shown).toContain('run again task 1 run(1)')
    refused.type('n\n')
    expect(await refused.ended).toBe(1)
    expect(refused.shown).toContain('nothing was done')
    const terminal = new RealTerminal(workspace, ['rescue', pool.name, '--retry'])
    await terminal.untilShown('[y/N]')
    terminal.type('y\n')
    expect(await terminal.ended).toBe(0)
    expect((await program.finished).stdout).toContain('results: [0, 1, 4, 9]')
  })
  it('is given up by Ctrl-C at the question', async () => {
    await workspace.write('once.py', failsOnce)
    runProgram(workspace, 'once.py')
    const pool = await untilVerdict(workspace, 'lost-task')
    const terminal = new RealTerminal(workspace, ['rescue', pool.name, '--fail'])
    await terminal.untilShown('[y/N]')
    terminal.type('\x03')
    expect(await terminal.ended).toBe(1)
    expect((await whyNow(workspace)).code).toBe(1)
  })
  it('is not done twice: the second one finds nothing', async () => {
    await workspace.write('once.py', failsOnce)
    const program = runProgram(workspace, 'once.py')
    const pool = await untilVerdict(workspace, 'lost-task')
    await workspace.run('rescue', pool.name, '--retry', '--yes')
    const again = await workspace.run('rescue', pool.name, '--retry', '--yes')
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/nothing to rescue/)
    await program.finished
  })
  it('cannot run a task again whose arguments were not kept, and says what can be done', async () => {
    await workspace.write('once.py', failsOnce)
    const program = runProgram(workspace, 'once.py', { options: ['--no-arguments'] })
    const pool = await untilVerdict(workspace, 'lost-task')
    const { code, stderr } = await workspace.run('rescue', pool.name, '--retry', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('cannot run again: the arguments were not kept')
    await workspace.run('rescue', pool.name, '--fail', '--yes')
    expect((await program.finished).stdout).toContain('caught: WorkerLost')
  })
  it('is done by itself with --on-stuck retry', async () => {
    await workspace.write('once.py', failsOnce)
    const program = runProgram(workspace, 'once.py', { options: ['--on-stuck', 'retry'] })
    expect(await program.finished).toMatchObject({ code: 0, stdout: 'results: [0, 1, 4, 9]\nwent on\n' })
  })
})

describe('the stubborn program of seeds/003', () => {
  it('is named as an issue by terminate, and ended by kill', async () => {
    const program = await runFixture(workspace, 'seeds-003-stubborn.py')
    await untilVerdict(workspace, 'sigterm-ignored')
    const terminated = await workspace.run('terminate', 'seeds-003-stubborn.py', '--grace-ms', '300')
    expect(terminated.code).toBe(1)
    expect(terminated.stdout).toMatch(/still alive: .*pid=\d+/)
    expect((await workspace.run('kill', 'seeds-003-stubborn.py')).code).toBe(0)
    await program.finished
    await until('nothing of it is left', async () => {
      const left = (await workspace.processes()).length
      return left <= 1 || undefined
    })
  })
})
