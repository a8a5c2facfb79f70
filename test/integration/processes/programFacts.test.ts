import { readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { afterEach, describe, expect, test } from 'vitest'
import { createProcessTable, type ProcessIdentity, type ProcessWait } from '../../../src/processes'
import { limitedGroup } from './controlGroup'
import { fixture, StartedProcesses, until, type Started } from './startedProcesses'

const processes = new StartedProcesses()
const table = createProcessTable()
afterEach(() => processes.endAll())

const waiting = (how: string): Promise<Started> => processes.start('python3', [fixture('waits.py'), how])

/** What it waits in once it is there. */
async function waitOf(identity: ProcessIdentity, kind: ProcessWait['kind']): Promise<ProcessWait> {
  let last: ProcessWait | undefined
  try {
    return await until(async () => {
      last = (await table.waits(identity))?.wait
      return last?.kind === kind && last
    }, kind)
  } catch (error) {
    throw new Error(`It waits in ${JSON.stringify(last)}`, { cause: error })
  }
}

describe.skipIf(process.platform !== 'linux')('where a process waits', () => {
  test.each([
    ['futex_shared', { kind: 'futex', isPrivate: false, timed: false, descriptor: null, target: null }],
    ['futex_private', { kind: 'futex', isPrivate: true, timed: false }],
    ['futex_timed', { kind: 'futex', isPrivate: true, timed: true }],
    [
      'pipe_read',
      { kind: 'pipe-read', address: null, descriptor: 3, target: expect.stringMatching(/^pipe:\[\d+\]$/) as unknown },
    ],
    ['pipe_write', { kind: 'pipe-write', descriptor: 4, target: expect.stringMatching(/^pipe:/) as unknown }],
    ['vector_write', { kind: 'pipe-write', descriptor: 4 }],
    [
      'socket_read',
      { kind: 'socket-read', descriptor: 3, target: expect.stringMatching(/^socket:\[\d+\]$/) as unknown },
    ],
    ['socket_write', { kind: 'socket-write', descriptor: 3, target: expect.stringMatching(/^socket:/) as unknown }],
    ['datagram_read', { kind: 'socket-read', descriptor: 3 }],
    ['poll', { kind: 'poll', descriptor: null }],
    ['epoll', { kind: 'poll' }],
    ['selecting', { kind: 'poll' }],
    ['child', { kind: 'child' }],
    ['sleep', { kind: 'sleep' }],
    ['running', { kind: 'running' }],
  ] as const)('is told: %s', async (how, expected) => {
    const { identity } = await waiting(how)
    const wait = await waitOf(identity, expected.kind)
    expect(wait).toMatchObject(expected)
    if (expected.kind === 'futex') expect(wait.address).toMatch(/^0x[0-9a-f]{6,}$/)
  })

  test("is told in the kernel's own word for what has no name here", async () => {
    const { identity } = await waiting('file_lock')
    const wait = await until(async () => {
      const now = (await table.waits(identity))?.wait
      return now !== undefined && /lock|setlk/.test(now.wchan) && now
    }, 'the lock of the file')
    expect(wait).toMatchObject({ kind: 'other', address: null })
  })

  test('is told of a program that sits in its event loop', async () => {
    const { identity } = await processes.start(process.execPath, [
      '-e',
      'console.log("ready"); setInterval(() => {}, 1e6)',
    ])
    expect((await waitOf(identity, 'poll')).kind).toBe('poll')
  })

  test('is told with the number of its threads', async () => {
    const { identity } = await waiting('threads')
    await waitOf(identity, 'pipe-read')
    expect((await table.waits(identity))?.threads).toBe(3)
    const alone = await waiting('pipe_read')
    await waitOf(alone.identity, 'pipe-read')
    expect((await table.waits(alone.identity))?.threads).toBe(1)
  })

  test('is told of each other thread, unless there are many', async () => {
    const { identity } = await waiting('threads')
    await waitOf(identity, 'pipe-read')
    const kinds = async (of: ProcessIdentity): Promise<string[] | undefined> =>
      (await table.threadWaits(of))?.map(({ kind }) => kind).sort()
    // time.sleep() is a select() before Python 3.11.
    await until(
      async () => /^(poll poll|sleep sleep)$/.test((await kinds(identity))?.join(' ') ?? ''),
      'two threads asleep',
    )
    const writing = await waiting('feeder')
    const wait = await waitOf(writing.identity, 'futex')
    expect(wait).toMatchObject({ isPrivate: true, timed: false })
    const [feeder, ...more] = await until(async () => {
      const found = await table.threadWaits(writing.identity)
      return found?.[0]?.kind === 'pipe-write' && found
    }, 'a thread that writes')
    expect(feeder).toMatchObject({ kind: 'pipe-write', target: expect.stringMatching(/^pipe:/) as unknown })
    expect(more).toEqual([])
    // As long as nobody reads, it does not run.
    expect(feeder!.switches).toBeGreaterThan(0)
    expect((await table.threadWaits(writing.identity))?.[0]?.switches).toBe(feeder!.switches)
    const alone = await waiting('pipe_read')
    expect(await kinds(alone.identity)).toEqual([])
    const many = await waiting('many_threads')
    await until(async () => ((await table.waits(many.identity))?.threads ?? 0) > 16, 'more than sixteen threads')
    expect(await kinds(many.identity)).toEqual([])
  })

  test('is told with the child that is waited for', async () => {
    const { identity } = await waiting('that_child')
    const { child } = await waitOf(identity, 'child')
    const [row] = await until(async () => (await table.descendants([{ identity }])).get(identity.pid), 'the child')
    expect(child).toBe(row!.identity.pid)
    const any = await waiting('child')
    expect((await waitOf(any.identity, 'child')).child).toBeNull()
  })

  test('has the same address in two processes that wait for one lock', async () => {
    const { identity } = await processes.start('python3', [
      '-c',
      [
        'import multiprocessing, time',
        'lock = multiprocessing.Lock(); lock.acquire()',
        'for _ in range(2): multiprocessing.get_context("fork").Process(target=lock.acquire, daemon=True).start()',
        'print("ready", flush=True); time.sleep(1000)',
      ].join('\n'),
    ])
    const children = await until(async () => {
      const rows = (await table.descendants([{ identity }])).get(identity.pid)
      return rows?.length === 2 && rows
    }, 'two children')
    const waits = await Promise.all(children.map((row) => waitOf(row.identity, 'futex')))
    expect(waits.map(({ isPrivate }) => isPrivate)).toEqual([false, false])
    expect(new Set(waits.map(({ address }) => address)).size).toBe(1)
  })

  test('is unknown of a zombie, of one that is gone and of another with its pid', async () => {
    const { identity } = await processes.python('has-zombie.py')
    const zombie = await until(
      async () => (await table.descendants([{ identity }])).get(identity.pid)?.find(({ state }) => state === 'zombie'),
      'a zombie',
    )
    expect(await table.waits(zombie.identity)).toBeUndefined()
    expect(await table.threadWaits(zombie.identity)).toBeUndefined()
    expect(await table.waits(stranger(identity))).toBeUndefined()
    expect(await table.threadWaits(stranger(identity))).toBeUndefined()
    const gone = await processes.shell('echo ready')
    await gone.exited
    expect(await table.waits(gone.identity)).toBeUndefined()
    expect(await table.threadWaits(gone.identity)).toBeUndefined()
  })

  test('is found out without holding the event loop', async () => {
    const started = await Promise.all(['running', 'futex_private', 'pipe_read'].map(waiting))
    const times: number[] = []
    for (let round = 0; round < 200; round++) {
      const begin = performance.now()
      const answer = table.waits(started[round % 3]!.identity)
      times.push(performance.now() - begin)
      await answer
    }
    // One of many may be interrupted on a busy machine.
    expect(times.sort((a, b) => a - b)[190]).toBeLessThan(20)
  })
})

describe.skipIf(process.platform !== 'linux')('the command line of a process', () => {
  test('has its arguments, whatever is in them', async () => {
    const args = ['-c', 'import time; print("ready", flush=True); time.sleep(1000)', 'a b', '', 'ünïcode', '--x=1']
    const { identity } = await processes.start('python3', args)
    // Behind a wrapper (pyenv's) it is another path.
    expect((await table.commandLine(identity))?.slice(1)).toEqual(args)
  })

  test('is unknown of a zombie, of one that hangs in the kernel and of another with its pid', async () => {
    const { identity } = await processes.python('has-zombie.py')
    const zombie = await until(
      async () => (await table.descendants([{ identity }])).get(identity.pid)?.find(({ state }) => state === 'zombie'),
      'a zombie',
    )
    expect(await table.commandLine(zombie.identity)).toBeUndefined()
    expect(await table.commandLine(stranger(identity))).toBeUndefined()
    const hanging = await processes.python('hangs-in-kernel.py')
    await until(async () => (await table.inspect(hanging.identity))?.state === 'uninterruptible', 'state D')
    expect(await table.commandLine(hanging.identity)).toBeUndefined()
  })

  test('is empty of a kernel thread', async () => {
    const kernel = await table.identify(2)
    if (kernel === undefined || (await table.inspect(kernel))?.command !== 'kthreadd') return
    expect(await table.commandLine(kernel)).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('the working directory of a process', () => {
  test('is where it is now', async () => {
    const { identity } = await processes.shell('cd /; echo ready; exec sleep 1000')
    expect(await table.workingDirectory(identity)).toBe('/')
    expect(await table.workingDirectory(stranger(identity))).toBeUndefined()
    const own = (await table.identify(process.pid))!
    expect(await table.workingDirectory(own)).toBe(readlinkSync('/proc/self/cwd'))
  })
})

describe.skipIf(process.platform !== 'linux')('the exit of a process that nobody collected', () => {
  test('is told by code or signal', async () => {
    const { identity, line } = await processes.python('has-zombies.py')
    const pids = (await line()).split(' ').map(Number)
    const identities = await Promise.all(pids.map(async (pid) => (await table.identify(pid))!))
    await until(
      async () =>
        (await Promise.all(identities.map((one) => table.inspect(one)))).every((row) => row?.state === 'zombie'),
      'three zombies',
    )
    expect(await Promise.all(identities.map((one) => table.exitStatus(one)))).toEqual([
      { exitCode: 3, signal: null },
      { exitCode: null, signal: 'SIGKILL' },
      { exitCode: 128 + 36, signal: null },
    ])
    expect(await table.exitStatus(stranger(identities[0]!))).toBeUndefined()
    expect(await table.exitStatus(identity)).toBeUndefined()
  })

  test('is unknown while only its main thread has ended', async () => {
    const { identity } = await processes.python('leader-ended.py')
    await until(async () => (await table.inspect(identity))?.state === 'sleeping', 'the end of the main thread')
    expect(await table.exitStatus(identity)).toBeUndefined()
  })
})

describe.skipIf(process.platform !== 'linux')("the kernel's count of OOM kills", () => {
  test('is a number, or unknown, for any process', async () => {
    const { identity } = await processes.shell('echo ready; exec sleep 1000')
    expect(await table.oomKills(identity)).toSatisfy(
      (count: number | null) => count === null || Number.isSafeInteger(count),
    )
    expect(await createProcessTable().oomKills(stranger(identity))).toBeNull()
  })

  test('rises by one when the kernel ends a process of a control group that is full', async ({ skip }) => {
    const group = limitedGroup(20)
    if (group === undefined) return skip('No control group can be made here')
    const child = spawn('python3', [fixture('eats-memory.py'), group.path], {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: tmpdir(),
    })
    const exited = once(child, 'exit')
    try {
      await once(child.stdout, 'data')
      const identity = (await table.identify(child.pid!))!
      expect(await table.oomKills(identity)).toBe(0)
      child.stdin.write('go\n')
      expect(await exited).toEqual([null, 'SIGKILL'])
      // It is gone, and its group is remembered.
      expect(await table.identify(child.pid!)).toBeUndefined()
      expect(await table.oomKills(identity)).toBe(1)
    } finally {
      child.kill('SIGKILL')
      await exited
      await group.remove()
    }
  })
})

describe.skipIf(process.platform !== 'linux')('a real-time signal', () => {
  test('is sent by its number, to the process that is meant', async () => {
    const { identity, line } = await processes.python('catches-real-time-signal.py')
    expect(await table.signal(stranger(identity), 39)).toBe('reused')
    expect(await table.signal(identity, 39)).toBe('sent')
    expect(await line()).toBe('39')
  })

  test('is refused when it is none', async () => {
    const { identity } = await processes.shell('echo ready; exec sleep 1000')
    expect(() => table.signal(identity, 0)).toThrow('0 is no signal')
    expect(await table.exists(identity)).toBe(true)
  })
})

describe.skipIf(process.platform === 'win32')('where there is no /proc', () => {
  test('none of this is known', async () => {
    const { pid } = await processes.shell('echo ready; exec sleep 1000')
    const other = createProcessTable({ platform: 'darwin' })
    const identity = (await other.identify(pid))!
    expect(
      await Promise.all([
        other.waits(identity),
        other.threadWaits(identity),
        other.commandLine(identity),
        other.workingDirectory(identity),
        other.exitStatus(identity),
        other.oomKills(identity),
      ]),
    ).toEqual([undefined, undefined, undefined, undefined, undefined, null])
  })
})

/** Another process that had the pid earlier. */
function stranger(identity: ProcessIdentity): ProcessIdentity {
  return { ...identity, startTime: identity.startTime.replace(/\d+$/, '1') }
}
