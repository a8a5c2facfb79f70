import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describePythons, everyPython } from '../pythons'
import { fixtures, WatchedProgram, type End, type WatchOptions } from './watchedProgram'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-entering-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** How a program ends, what the observer left, and how many processes came forward. */
async function outcome(options: WatchOptions): Promise<End & { files: string[]; connections: number }> {
  await using program = await WatchedProgram.start(options)
  const end = await program.ended
  return { ...end, files: program.files(), connections: program.connections.length }
}

const nothing = { files: [], connections: 0 }
/** What a program can see of itself: modules, path, threads, open files. */
const lookAround = `
import os, sys, threading
modules = sorted(sys.modules)
print([name for name in modules if 'unhang' in name or 'sitecustomize' in name])
print(modules)
print(sys.path)
print([thread.name for thread in threading.enumerate()])
`

describePythons(everyPython, 'a Python $version program under watch', ({ path: python }) => {
  it.each([
    ['no pool', `${lookAround}print(len(os.listdir('/proc/self/task')), sorted(os.listdir('/proc/self/fd')))`],
    [
      'a thread pool',
      `from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool:\n    ` +
        `print(list(pool.map(abs, [1, -2])))\n${lookAround}`,
    ],
  ])('looks to itself as ever: %s', async (_, code) => {
    const watched = await outcome({ python, args: ['-c', code] })
    const plain = await outcome({ python, args: ['-c', code], watched: false })
    expect(watched).toEqual({ ...plain, ...nothing })
    expect(watched.stdout).toContain('[]\n')
  })

  it('leaves nothing behind when it imports multiprocessing and makes no pool of processes', async () => {
    const code = `
import multiprocessing, multiprocessing.pool, concurrent.futures.process, os, threading
with multiprocessing.pool.ThreadPool(2) as pool:
    print(pool.map(abs, range(3)))
    pool.close()
    pool.join()
print(multiprocessing.current_process().name, multiprocessing.active_children(), multiprocessing.Queue().empty())
print(threading.active_count())
`
    const watched = await outcome({ python, args: ['-c', code] })
    expect(watched).toEqual({ ...(await outcome({ python, args: ['-c', code], watched: false })), ...nothing })
    expect(watched.code).toBe(0)
  })

  it('can look into the modules that were hooked, reload them and pickle from them', async () => {
    const code = `
import importlib, inspect, pickle, multiprocessing.pool, multiprocessing.util
module = multiprocessing.pool
loader, spec = module.__loader__, module.__spec__
print(type(loader).__name__, type(spec).__name__, sorted(vars(loader)), spec.loader is loader)
has_source = len(inspect.getsource(module)) > 1000
print(inspect.getsourcefile(module) == module.__file__, has_source, importlib.reload(module) is module)
again = [pickle.loads(pickle.dumps(one)) for one in (module.worker, module.Pool)]
print(again[0] is module.worker, again[1] is module.Pool)
with multiprocessing.Pool(1) as pool:
    print(pool.map(abs, [-1]))
`
    await using program = await WatchedProgram.start({ python, args: ['-c', code] })
    const plain = await outcome({ python, args: ['-c', code], watched: false })
    expect(await program.ended).toEqual({ code: plain.code, signal: null, stdout: plain.stdout, stderr: '' })
    expect(program.slots().map(({ name, counter }) => [name, counter])).toEqual([
      ['MainProcess', 0],
      ['ForkPoolWorker-1', 1],
    ])
  })

  it.each([
    [
      'is run',
      'import sys; print("own", __name__, __file__.endswith("own/sitecustomize.py"), ' +
        'sys.modules["sitecustomize"].__file__ == __file__); MARK = 1',
    ],
    ['raises', 'print("before"); raise ValueError("own")'],
    ['misses a module', 'import no_such_module'],
    ['is not there', undefined],
  ])('has its own sitecustomize: it %s', async (_, source) => {
    mkdirSync(join(folder, 'own'))
    if (source !== undefined) writeFileSync(join(folder, 'own', 'sitecustomize.py'), source)
    const code =
      'import sys; print(getattr(sys.modules.get("sitecustomize"), "MARK", None)); import sitecustomize; ' +
      'print(sitecustomize.MARK)'
    const options = { python, args: ['-c', code], env: { PYTHONPATH: join(folder, 'own') } }
    const watched = await outcome(options)
    expect(watched).toEqual({ ...(await outcome({ ...options, watched: false })), ...nothing })
  })

  it('ends as ever when its own sitecustomize leaves', async () => {
    writeFileSync(join(folder, 'sitecustomize.py'), 'import sys; sys.exit(7)')
    const options = { python, args: ['-c', 'pass'], env: { PYTHONPATH: folder } }
    const plain = await outcome({ ...options, watched: false })
    expect(plain.code).not.toBe(0)
    // What the interpreter prints of it has the frames of all who import.
    expect({ ...(await outcome(options)), stderr: '' }).toEqual({ ...plain, ...nothing, stderr: '' })
  })

  it('is watched in what it starts, too', async () => {
    await using program = await WatchedProgram.start({
      python,
      args: [
        '-c',
        `
import subprocess, sys
subprocess.run([sys.executable, '-c', 'import multiprocessing; print(multiprocessing.Pool(1).map(abs, [-5]))'])
`,
      ],
    })
    const { hello } = await program.connected()
    expect(hello).toMatchObject({ parentPid: program.pid, argv: ['-c'] })
    expect(await program.ended).toMatchObject({ code: 0, stdout: '[5]\n' })
    expect(program.connections.length).toBe(1)
  })

  it.each([['-I'], ['-E'], ['-S']])('goes unobserved with %s', async (flag) => {
    const args = [
      flag,
      '-c',
      'import sys\nif __name__ == "__main__":\n import multiprocessing\n print(multiprocessing.Pool(1).map(abs, [-5]))',
    ]
    expect(await outcome({ python, args })).toMatchObject({ code: 0, stdout: '[5]\n', stderr: '', ...nothing })
  })

  it('runs as ever when its session is gone', async () => {
    const options = { python, args: [join(fixtures, 'every-start.py'), 'fork'], cwd: folder }
    const plain = await outcome({ ...options, watched: false })
    expect(plain).toMatchObject({ code: 0, stderr: '' })
    const gone = { UNHANG_WATCH: join(folder, 'gone'), PYTHONPATH: join(fixtures, '../../../src/runtimes/observer') }
    expect(await outcome({ ...options, watched: false, env: gone })).toEqual(plain)
    // The folder is there, but nothing in it.
    mkdirSync(join(folder, 'empty'))
    await using program = await WatchedProgram.start(options)
    expect(await program.ended).toEqual({
      code: plain.code,
      signal: plain.signal,
      stdout: plain.stdout,
      stderr: plain.stderr,
    })
  })
})
