import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describePythons, oldestAndNewest } from '../pythons'
import { isAlive, until, WatchedProgram, type Stacks } from './watchedProgram'

let folder: string
let go: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-stacks-'))
  go = join(folder, 'go')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** A pool whose worker is in C code that keeps the GIL: a regular expression that takes for ever. */
const inC = `
import multiprocessing as mp, re, signal, sys
def catastrophic(text):
    return re.match('(a+)+$', text)
if __name__ == '__main__':
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if number:
        signal.signal(number, signal.SIG_IGN)
    context = mp.get_context(sys.argv[1])
    pool = context.Pool(1)
    pool.map(catastrophic, ['a' * 64 + 'b'])
`

describePythons(oldestAndNewest, 'the stacks of a Python $version program', ({ path: python }) => {
  it('are told from inside while it waits, without the observer in them', async () => {
    await using program = await WatchedProgram.start({ python, args: ['methods.py', 'fork'], env: { GO: go } })
    const connection = await program.connected()
    await until(async () => (await connection.snapshot()).waitsIn?.call === 'Process.join', 'the program to wait')
    const { threads } = await connection.ask<Stacks>('stacks')
    const main = threads[0]!
    expect(main).toMatchObject({ name: 'MainThread', daemon: false })
    const own = main.frames.at(-1)!
    expect(own).toMatchObject({ function: '<module>', code: 'process.join()' })
    expect(own.file).toMatch(/^\/.*\/methods\.py$/)
    expect(main.frames[0]!.function).not.toBe('<module>')
    expect(threads.some(({ frames }) => frames.some(({ function: name }) => name === '_handle_results'))).toBe(true)
    expect(JSON.stringify(threads)).not.toContain('unhang_observer')
    writeFileSync(go, '')
    expect((await program.ended).code).toBe(0)
  })

  it.each(['fork', 'spawn', 'forkserver'])(
    'are written at the signal also while C code keeps the GIL (%s)',
    async (method) => {
      const file = join(folder, 'in_c.py')
      writeFileSync(file, inC)
      await using program = await WatchedProgram.start({ python, args: [file, method] })
      const worker = await program.slot(({ phase }) => phase === 'running', 'a task')
      expect(worker.stackSignal).toBeGreaterThanOrEqual(34)
      for (let dump = 1; dump <= 2; dump += 1) {
        process.kill(worker.pid, worker.stackSignal)
        const text = await until(() => {
          const written = readFileSync(join(program.session, `stack-${worker.pid}`), 'utf8')
          return written.split('in catastrophic\n').length > dump && written
        }, 'its stack')
        expect(text).toMatch(/^Current thread 0x[0-9a-f]+ \(most recent call first\):\n/)
        expect(text).toMatch(/File ".*\/in_c\.py", line 4 in catastrophic\n/)
      }
      expect(isAlive(worker.pid, worker.startTicks)).toBe(true)
      // The program's own process, too.
      const [own] = program.slots()
      process.kill(own!.pid, own!.stackSignal)
      await until(
        () => readFileSync(join(program.session, `stack-${own!.pid}`), 'utf8').includes('in map\n'),
        'the stack of the program',
      )
      expect(program.child.exitCode).toBe(null)
    },
  )

  it('never take a signal that the program has taken', async () => {
    const file = join(folder, 'in_c.py')
    writeFileSync(file, inC)
    await using program = await WatchedProgram.start({ python, args: [file, 'fork', '45'] })
    expect((await program.slot(({ phase }) => phase === 'running', 'a task')).stackSignal).toBe(46)
    await using chosen = await WatchedProgram.start({ python, args: [file, 'spawn'], session: { stackSignal: 50 } })
    expect((await chosen.slot(({ phase }) => phase === 'running', 'a task')).stackSignal).toBe(50)
    await using taken = await WatchedProgram.start({ python, args: [file, 'fork', '50'], session: { stackSignal: 50 } })
    expect((await taken.slot(({ phase }) => phase === 'running', 'a task')).stackSignal).toBe(0)
    await using none = await WatchedProgram.start({ python, args: [file, 'fork'], session: { stackSignal: 0 } })
    const { stackSignal, pid } = await none.slot(({ phase }) => phase === 'running', 'a task')
    expect(stackSignal).toBe(0)
    expect(existsSync(join(none.session, `stack-${pid}`))).toBe(false)
  })
})
