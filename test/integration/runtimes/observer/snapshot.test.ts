import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describePythons, oldestAndNewest } from '../pythons'
import { observerPath, until, WatchedProgram, type Snapshot } from './watchedProgram'

let folder: string
let go: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-snapshot-'))
  go = join(folder, 'go')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const labels = ({ tasks }: Snapshot) =>
  Object.values(tasks)
    .map(({ label }) => label)
    .sort()

/**
 * A thread asks, at the moment when it has said that it has started and is not in the list of threads yet, whether it
 * is alive.
 */
const asksWhileStarting = `
import sys, threading
sys.path.insert(0, sys.argv[1])
from unhang_observer import snapshot

class Started(threading.Event):
    def set(self):
        super().set()
        told.append(snapshot._is_alive(thread))

told = []
thread = threading.Thread(target=lambda: told.append(snapshot._is_alive(thread)))
thread._started = Started()
thread.start()
thread.join()
told.append(snapshot._is_alive(thread))
print(told)
`

describePythons(oldestAndNewest, 'a snapshot of a Python $version program', ({ path: python, version }) => {
  it(
    'comes again after a fork of its own: at once, or where Python counts the threads then, when the program next ' +
      'asks for a process',
    async () => {
      await using program = await WatchedProgram.start({ python, args: ['forks_once.py', go] })
      const connection = await program.connected()
      await until(() => program.stdout.includes('forked'), 'the fork')
      let answered = false
      const snapshot = connection.snapshot().then((answer) => {
        answered = true
        return answer
      })
      if (['3.8', '3.9', '3.10', '3.11'].includes(version)) {
        await snapshot
      } else {
        await setTimeout(1000)
        expect(answered).toBe(false)
      }
      writeFileSync(go, '')
      expect((await snapshot).pools).toEqual([])
    },
  )

  it('does not take a thread that is just being started for one that has ended', () => {
    expect(execFileSync(python, ['-c', asksWhileStarting, observerPath], { encoding: 'utf8' })).toBe(
      '[None, True, False]\n',
    )
  })

  it('says what answering has cost, over all of its threads', async () => {
    await using program = await WatchedProgram.start({ python, args: ['stays.py', 'fork'] })
    const connection = await program.connected()
    const cpuSeconds = () =>
      readFileSync(`/proc/${program.pid}/stat`, 'latin1')
        .split(') ')
        .at(-1)!
        .split(' ')
        .slice(11, 13)
        .reduce((sum, ticks) => sum + Number(ticks) / 100, 0)
    await until(
      async () => (await connection.snapshot()).waitsIn?.function === '_exit_function',
      'the end of the program',
    )
    // It only waits, so that all it does now is to answer.
    const [first, before] = [(await connection.snapshot()).ownCpu, cpuSeconds()]
    for (let count = 0; count < 500; count++) await connection.snapshot()
    const [last, after] = [(await connection.snapshot()).ownCpu, cpuSeconds()]
    expect(last - first).toBeGreaterThan(0)
    expect(Math.abs(last - first - (after - before))).toBeLessThan(0.05 + 0.2 * (after - before))
  })

  it.each(['fork', 'spawn', 'forkserver'])('says that the end of the program waits for a pool (%s)', async (method) => {
    await using program = await WatchedProgram.start({ python, args: ['stays.py', method] })
    const connection = await program.connected()
    const { pools, waitsIn } = await until(async () => {
      const taken = await connection.snapshot()
      return taken.waitsIn?.function === '_exit_function' && taken.pools[0]!.threads.results === false && taken
    }, 'the end of the program, and of the threads of its pool')
    // Its own state says RUN to the last: no method of it was called.
    expect(pools[0]).toMatchObject({ state: 'terminate', pids: [program.slots()[1]!.pid] })
    expect(waitsIn).toMatchObject({
      file: expect.stringMatching(/multiprocessing\/util\.py$/) as string,
      call: 'Pool._terminate_pool',
    })
  })

  it.each(['fork', 'spawn', 'forkserver'])('says what each call of each pool waits for (%s)', async (method) => {
    await using program = await WatchedProgram.start({ python, args: ['methods.py', method], env: { GO: go } })
    const connection = await program.connected()
    await until(() => program.slots().filter(({ phase }) => phase === 'running').length === 5, 'five busy workers')
    await program.slot(({ name, pid }) => name === 'Plain' && pid > 0, 'the plain process')
    const snapshot = await until(async () => {
      const taken = await connection.snapshot()
      return taken.waitsIn?.call === 'Process.join' && taken.pools[0]!.jobs.at(-1)?.total !== null && taken
    }, 'the program to wait')
    expect(snapshot.waitsIn).toMatchObject({
      line: 36,
      function: '<module>',
      call: 'Process.join',
      process: program.slots().find(({ name }) => name === 'Plain')!.pid,
    })
    expect(snapshot.waitsIn!.file).toMatch(/\/methods\.py$/)
    expect(labels(snapshot)).toEqual([
      'run × 3',
      'run × 3 (items 5–7)',
      'run × 5 (items 0–4)',
      "run(7, key='x')",
      'run(9)',
    ])
    const [pool, executor] = snapshot.pools
    expect(pool).toMatchObject({
      key: 1,
      library: 'multiprocessing',
      name: 'methods.py:23',
      startMethod: method,
      processes: 3,
      state: 'run',
      threads: { workers: true, tasks: true, results: true },
      locks: { tasks: 'free', results: 'free' },
      resultPipeBytes: 0,
      queued: 10,
    })
    expect(pool!.taskPipeBytes).toBeGreaterThan(0)
    expect(pool!.jobs).toEqual([
      { job: 0, call: 'apply', function: 'run', total: 1, left: 1, chunkSize: 1 },
      { job: 1, call: 'map', function: 'run', total: 8, left: 8, chunkSize: 5 },
      // Nobody has it yet.
      { job: 2, call: 'apply', function: '', total: 1, left: 1, chunkSize: 1 },
      { job: 3, call: 'starmap', function: 'run', total: 3, left: 3, chunkSize: 1 },
      { job: 4, call: 'imap', function: 'run', total: 3, left: 3, chunkSize: 1 },
      { job: 5, call: 'imap_unordered', function: 'run', total: 6, left: 6, chunkSize: 2 },
    ])
    expect([...pool!.pids].sort()).toEqual(
      program
        .slots()
        .filter(({ poolKey }) => poolKey === 1)
        .map(({ pid }) => pid)
        .sort(),
    )
    expect(executor).toMatchObject({
      key: 2,
      library: 'concurrent.futures',
      name: 'methods.py:31',
      startMethod: method,
      processes: 2,
      state: 'run',
      queued: 1,
      threads: { workers: null, results: true },
      jobs: [
        { job: 0, call: 'submit', function: 'run', total: 1, left: 1 },
        { job: 1, call: 'map', function: 'run', total: 3, left: 3 },
        { job: 2, call: 'map', function: 'run', total: 3, left: 3 },
      ],
    })
    expect(snapshot.threads[0]).toMatchObject({ id: program.pid, name: 'MainThread', daemon: false })
    expect(snapshot.threads.length).toBe(6)
    expect(snapshot.helpers.resourceTracker === null).toBe(method === 'fork')
    expect(snapshot.helpers.forkServer === null).toBe(method !== 'forkserver')
    writeFileSync(go, '')
    const { code, stdout, stderr } = await program.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('[0, 1, 2] [0, 1, 2, 3, 4]\n9 [0, 1, 2, 3, 4, 5]\n')
  })

  it.each(['fork', 'spawn', 'forkserver'])(
    "says which process is joined, and whether other threads run code of the user's (%s)",
    async (method) => {
      await using program = await WatchedProgram.start({
        python,
        args: [
          '-c',
          `
import multiprocessing as mp, os, threading, time
def stay():
    time.sleep(600)
context = mp.get_context('${method}')
process = context.Process(target=time.sleep, args=(600,), name='Joined')
process.start()
pool, queue = context.Pool(1), context.Queue()
queue.put(bytes(1000000))
process.join()
resting = context.Process(target=time.sleep, args=(600,), name='Resting')
resting.start()
threading.Timer(3, resting.kill).start()
while resting.is_alive():
    resting.join(600)
threading.Thread(target=stay, daemon=True).start()
pool.map(time.sleep, [600])
`,
        ],
      })
      const connection = await program.connected()
      const waiting = (call: string, process: number | null, threads: boolean) =>
        until(async () => {
          const { waitsIn } = await connection.snapshot()
          return waitsIn?.call === call && waitsIn.process === process && waitsIn.threads === threads
        }, `${call} ${process} ${threads}`)
      const { pid } = await program.slot(({ name, pid: known }) => name === 'Joined' && known > 0, 'the process')
      await waiting('Process.join', pid, false)
      process.kill(pid, 'SIGKILL')
      // With a time limit it may do something else after that.
      await waiting('Process.join', null, false)
      await waiting('Pool.map', null, true)
    },
  )

  it('counts items, not chunks', async () => {
    await using program = await WatchedProgram.start({
      python,
      args: [
        '-c',
        `
import multiprocessing as mp, os, time
def run(number):
    while number >= 8 and not os.path.exists(os.environ['GO']):
        time.sleep(0.01)
    return number
with mp.Pool(2) as pool:
    first = pool.map_async(run, range(12), 4)
    second = pool.map_async(run, range(10), 4)
    print(len(first.get() + second.get()))
`,
      ],
      env: { GO: go },
    })
    const connection = await program.connected()
    const snapshot = await until(async () => {
      const taken = await connection.snapshot()
      return taken.pools[0]?.jobs.map(({ left }) => left).join() === '4,2' && labels(taken).length === 2 && taken
    }, 'all but two results')
    expect(snapshot.pools[0]).toMatchObject({
      name: '<string>:7',
      queued: 0,
      taskPipeBytes: 0,
      locks: { tasks: 'free' },
      jobs: [
        { call: 'map', function: 'run', total: 12, left: 4, chunkSize: 4 },
        { call: 'map', function: 'run', total: 10, left: 2, chunkSize: 4 },
      ],
    })
    expect(labels(snapshot)).toEqual(['run × 2 (items 8–9)', 'run × 4 (items 8–11)'])
    writeFileSync(go, '')
    expect(await program.ended).toMatchObject({ code: 0, stdout: '22\n' })
  })

  it('knows the states of a pool, and that it is gone', async () => {
    await using program = await WatchedProgram.start({
      python,
      args: [
        '-c',
        `
import multiprocessing as mp, os, time
from concurrent.futures import ProcessPoolExecutor
def step(name):
    open(os.path.join(os.environ['FOLDER'], name), 'w').close()
    while not os.path.exists(os.path.join(os.environ['FOLDER'], name + '.go')):
        time.sleep(0.01)
def stay():
    time.sleep(60)
pool = mp.Pool(1)
executor = ProcessPoolExecutor(1)
executor.submit(len, ()).exception()
step('run')
pool.apply_async(step, ('closed',))
pool.close()
executor.shutdown()
step('close')
pool.join()
step('joined')
del pool, executor
broken = ProcessPoolExecutor(1)
future = broken.submit(os._exit, 1)
print(type(future.exception()).__name__)
step('gone')
`,
      ],
      env: { FOLDER: folder },
    })
    const at = async (name: string) => {
      await until(() => existsSync(join(folder, name)), name)
    }
    const goOn = (name: string) => {
      writeFileSync(join(folder, `${name}.go`), '')
    }
    const states = async () => (await connection.snapshot()).pools.map(({ state }) => state)
    const connection = await program.connected()
    await at('run')
    expect(await states()).toEqual(['run', 'run'])
    goOn('run')
    await at('close')
    await at('closed')
    expect(await states()).toEqual(['close', 'ended'])
    goOn('closed')
    goOn('close')
    await at('joined')
    expect(await states()).toEqual(['ended', 'ended'])
    goOn('joined')
    await at('gone')
    expect(await states()).toEqual(['ended', 'ended', 'broken'])
    goOn('gone')
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'BrokenProcessPool\n', stderr: '' })
  })

  it('tells the host to look, but not more often than it can', async () => {
    await using program = await WatchedProgram.start({
      python,
      args: [
        '-c',
        `
import multiprocessing as mp, time
started = time.monotonic()
while time.monotonic() - started < 1:
    with mp.Pool(1, maxtasksperchild=1) as pool:
        pool.map(abs, range(10), 1)
`,
      ],
    })
    const connection = await program.connected()
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
    const times = connection.events.map(({ at }) => at)
    expect(connection.events.every(({ event }) => event === 'changed')).toBe(true)
    expect(times.length).toBeGreaterThan(5)
    expect(times.length).toBeLessThanOrEqual((times.at(-1)! - times[0]!) / 20 + 2)
  })
})
