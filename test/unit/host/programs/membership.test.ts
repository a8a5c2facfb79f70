import { expect, test } from 'vitest'
import { Membership } from '../../../../src/host/programs/watched/membership'
import type { ParentView } from '../../../../src/host/programs/members/parentView'
import type { ProgramContext } from '../../../../src/host/programs/context/programContext'
import { MemberList } from '../../../../src/host/programs/members/memberList'
import type { WatchedProgram } from '../../../../src/host/programs/watched/watchedProgram'
import type { ProcessRow, ProcessTable } from '../../../../src/processes'

const nothingThere: Partial<ProcessTable> = {
  identify: () => Promise.resolve(undefined),
  inspect: () => Promise.resolve(undefined),
}

function exitedProcess(slot: number, generation = 1): ParentView['processes'][number] {
  return {
    slot,
    generation,
    poolKey: 0,
    pid: 100_000 + slot,
    parentThreads: 1,
    startTicks: 1,
    startedAt: 1,
    exitCode: 0,
    exitedAt: 2,
    name: `Process-${slot}-${generation}`,
    counter: 0,
    phase: 'idle',
    holds: [],
    ready: true,
    untold: false,
    keptBytes: 0,
    job: -1,
    index: -1,
    taskStartedAt: 0,
    stackSignal: 0,
    label: '',
    unpicklableResults: 0,
  }
}

function observedPool(key: number): NonNullable<ParentView['observed']>['pools'][number] {
  return {
    key,
    library: 'multiprocessing',
    name: `train.py:${key}`,
    file: 'train.py',
    line: key,
    startMethod: 'fork',
    processes: 1,
    madeAt: key,
    state: 'run',
    threads: { workers: true, tasks: true, results: true },
    queued: 0,
    taskPipeBytes: 0,
    resultPipeBytes: 0,
    locks: { tasks: 'free', results: 'free' },
    jobs: [],
    callback: null,
    pids: [],
  }
}

function parentOf(key: string): ParentView {
  return {
    key,
    pid: 99_999,
    answers: true,
    link: { connected: true },
    processes: [],
    observed: {
      time: 0,
      threads: [],
      waitsIn: null,
      pools: [],
      tasks: {},
      helpers: { resourceTracker: null, forkServer: null, lokyTracker: null },
    },
  } as unknown as ParentView
}

function censusOf(
  parents: readonly ParentView[],
  processes = nothingThere,
): { membership: Membership; members: MemberList } {
  const members = new MemberList({ workerChanged: () => undefined, workerRemoved: () => undefined })
  const changes = { headerChanged: () => undefined, workerChanged: () => undefined, workerRemoved: () => undefined }
  const state = { ...changes, changesOf: () => changes }
  const pools = { add: () => undefined, has: () => false }
  const context = {
    processes,
    kills: { entriesFor: () => [] },
    state,
    pools,
    ended: () => undefined,
  } as unknown as ProgramContext
  return {
    membership: new Membership({ id: 'program-1', members } as unknown as WatchedProgram, new Set(parents), context),
    members,
  }
}

test('a process that has ended is counted once, however long the recorder shows it', async () => {
  const parent = parentOf('1')
  const { membership, members } = censusOf([parent])
  for (let look = 0; look < 3; look += 1) {
    parent.processes = Array.from({ length: 150 }, (_, index) => exitedProcess(index + 1))
    membership.sync(parent)
    await membership.noteExits(undefined)
  }
  expect(members.exitedCount).toBe(150)
})

test('a program that recycles its workers for weeks does not fill the memory with them', async () => {
  const parent = parentOf('1')
  const { membership, members } = censusOf([parent])
  for (let generation = 1; generation <= 100; generation += 1) {
    parent.processes = Array.from({ length: 50 }, (_, index) => exitedProcess(index + 1, generation))
    membership.sync(parent)
    await membership.noteExits(undefined)
  }
  expect(members.exitedCount).toBe(5000)
  expect(membership.members.length).toBeLessThanOrEqual(200)
})

test('two programs that one process was in turn, by exec, are not mixed up', async () => {
  const [before, after] = [parentOf('1'), parentOf('2')]
  const { membership, members } = censusOf([before, after])
  before.processes = [exitedProcess(1)]
  after.processes = [{ ...exitedProcess(1), name: 'Process-after', exitCode: 3 }]
  membership.sync(before)
  membership.sync(after)
  await membership.noteExits(undefined)
  expect(members.all().map(({ name, exit }) => [name, exit?.exitCode])).toEqual([
    ['Process-1-1', 0],
    ['Process-after', 3],
  ])
})

test('a helper of Python that was there before its program told of it is no process of the program', async () => {
  const parent = parentOf('1')
  const root = { pid: 99_999, startTime: 'boot-1' }
  const row: ProcessRow = {
    identity: { pid: 100_001, startTime: 'boot-2' },
    parentPid: root.pid,
    processGroup: 1,
    session: 1,
    state: 'sleeping',
    command: 'python3',
  }
  const table = {
    descendants: () => Promise.resolve(new Map([[root.pid, [row]]])),
    commandLine: () => Promise.resolve(['python3', '-c', 'from multiprocessing.resource_tracker import main']),
  }
  const { membership, members } = censusOf([parent], table)
  await membership.syncTree(root)
  expect(members.all().map(({ pid }) => pid)).toEqual([100_001])
  parent.observed = { ...parent.observed!, helpers: { resourceTracker: 100_001, forkServer: null, lokyTracker: null } }
  await membership.syncTree(root)
  expect(members.all()).toEqual([])
})

test(
  'a worker that is dead but not collected has its exit code from the kernel, and is looked at until ' +
    'it is collected',
  async () => {
    const parent = parentOf('1')
    const identity = { pid: 100_001, startTime: 'boot-1' }
    let row: ProcessRow | undefined = {
      identity,
      parentPid: parent.pid,
      command: 'python3',
      state: 'zombie',
      cpuTimeMs: 0,
    } as unknown as ProcessRow
    const { membership, members } = censusOf([parent], {
      inspect: () => Promise.resolve(row),
      exists: () => Promise.resolve(row !== undefined),
      exitStatus: () => Promise.resolve({ exitCode: 3, signal: null }),
    })
    parent.processes = [{ ...exitedProcess(1), exitCode: null, exitedAt: null }]
    membership.sync(parent)
    const [member] = members.all()
    member!.identity = identity
    const seen: unknown[] = []
    for (row of [row, row, row, undefined, undefined]) {
      await membership.noteExits(undefined)
      seen.push([member!.exit?.exitCode, member!.uncollected])
    }
    expect(seen).toEqual([
      [3, true],
      [3, true],
      [3, true],
      [3, false],
      [3, false],
    ])
    expect(members.exitedCount).toBe(1)
  },
)

test.each([
  ['nothing', 'idle', 10],
  ['a task', 'running', 50],
] as const)(
  'of pools that have ended and lost %s, in a loop that makes thousands, only the last are kept',
  async (_, phase, most) => {
    const parent = parentOf('1')
    const { membership } = censusOf([parent])
    for (let key = 1; key <= 300; key += 1) {
      parent.observed!.pools.splice(0, 1, observedPool(key))
      parent.processes = [{ ...exitedProcess(1, key), poolKey: key, phase, job: 0, index: 0 }]
      membership.sync(parent)
      await membership.noteExits(undefined)
    }
    expect(membership.pools.map(({ key }) => key)).toEqual(
      Array.from({ length: most + 1 }, (__, index) => 300 - most + index),
    )
    expect(membership.members.length).toBeLessThanOrEqual(most + 2)
  },
)
