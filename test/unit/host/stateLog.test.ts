import { describe, expect, it } from 'vitest'
import { StateLog, type StateSource } from '../../../src/host/state/stateLog'
import { applySnapshot, type FullSnapshot, type PoolHeader, type WorkerSnapshot } from '../../../src/protocol'

const counts = { queued: 0, running: 0, stuck: 0, done: 0, failed: 0, lost: 0, timedOut: 0, cancelled: 0 }

/** A pool whose state is just numbers that tests change. */
class FakePool implements StateSource {
  done = 0
  readonly workers = new Map<string, number>()
  constructor(readonly id: string) {}
  header(): PoolHeader {
    return {
      id: this.id,
      name: this.id,
      kind: 'command',
      state: 'run',
      orphaned: false,
      programId: null,
      program: null,
      verdicts: [],
      label: null,
      startedAt: 0,
      endedAt: null,
      counts: { ...counts, done: this.done },
      etaMs: null,
      failure: null,
      issues: [],
      exitedWorkerCount: 0,
      stats: null,
    }
  }
  workerNames(): Iterable<string> {
    return this.workers.keys()
  }
  worker(name: string): WorkerSnapshot | undefined {
    const tasksDone = this.workers.get(name)
    if (tasksDone === undefined) return undefined
    return {
      name,
      pid: 1,
      status: 'idle',
      exitCode: null,
      signal: null,
      cpuPercent: null,
      memoryBytes: null,
      tasksDone,
      startedAt: 0,
      exitedAt: null,
      task: null,
    }
  }
}

/** Pseudo-random, so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return state % below
  }
}

function changeAtRandom(
  log: StateLog,
  pools: Map<string, FakePool>,
  random: (below: number) => number,
  step: number,
): void {
  const all = [...pools.values()]
  const pool = all[random(Math.max(1, all.length))]
  const action = random(10)
  if (!pool || action === 0) {
    const added = new FakePool(`pool-${step}`)
    pools.set(added.id, added)
    log.addPool(added)
  } else if (action === 1) {
    pools.delete(pool.id)
    log.removePool(pool.id)
  } else if (action < 4) {
    pool.done += 1
    log.headerChanged(pool.id)
  } else if (action < 8) {
    const name = `PoolWorker-${random(30)}`
    pool.workers.set(name, step)
    log.workerChanged(pool.id, name)
  } else {
    const name = [...pool.workers.keys()][0]
    if (name === undefined) return
    pool.workers.delete(name)
    log.workerRemoved(pool.id, name)
  }
}

describe('a delta', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('applied to what a client had is what a full snapshot says (seed %i)', (seed) => {
    const random = randomOf(seed)
    const log = new StateLog(() => undefined)
    const pools = new Map<string, FakePool>()
    let held: FullSnapshot | undefined
    let deltas = 0
    for (let step = 0; step < 600; step++) {
      changeAtRandom(log, pools, random, step)
      if (random(5) > 0) continue
      const fetched = log.snapshot(held?.rev)
      if (fetched.kind === 'delta') deltas += 1
      held = applySnapshot(held, fetched)
      expect(held).toEqual(log.snapshot())
    }
    expect(deltas).toBeGreaterThan(30)
  })

  it('is empty when nothing changed', () => {
    const log = new StateLog(() => undefined)
    log.addPool(new FakePool('a'))
    const { rev } = log.snapshot()
    expect(log.snapshot(rev)).toEqual({
      kind: 'delta',
      since: rev,
      rev,
      pools: [],
      workers: [],
      removedPools: [],
      machine: null,
    })
  })

  it('leaves out a worker that came and went since', () => {
    const log = new StateLog(() => undefined)
    const pool = new FakePool('a')
    log.addPool(pool)
    const { rev } = log.snapshot()
    log.workerChanged('a', 'w')
    log.workerRemoved('a', 'w')
    expect(log.snapshot(rev)).toMatchObject({ kind: 'delta', workers: [] })
  })

  it('keeps the objects of what did not change', () => {
    const log = new StateLog(() => undefined)
    log.addPool(new FakePool('a'))
    log.addPool(new FakePool('b'))
    const before = applySnapshot(undefined, log.snapshot())
    log.headerChanged('a')
    const after = applySnapshot(before, log.snapshot(before?.rev))
    expect(after?.pools[1]).toBe(before?.pools[1])
  })

  it('does not follow on another state', () => {
    const log = new StateLog(() => undefined)
    const before = applySnapshot(undefined, log.snapshot())
    log.addPool(new FakePool('a'))
    const middle = log.snapshot()
    log.addPool(new FakePool('b'))
    expect(applySnapshot(before, log.snapshot(middle.rev))).toBeUndefined()
  })
})

describe('a full snapshot', () => {
  it('answers a revision of an earlier host', () => {
    const earlier = new StateLog(() => undefined, 1000)
    for (let i = 0; i < 50; i++) {
      earlier.addPool(new FakePool(`p${i}`))
      earlier.snapshot()
    }
    const log = new StateLog(() => undefined, 1001)
    log.addPool(new FakePool('a'))
    expect(log.snapshot(earlier.snapshot().rev).kind).toBe('full')
  })

  it('answers a revision from the future', () => {
    const log = new StateLog(() => undefined)
    expect(log.snapshot(log.snapshot().rev + 1).kind).toBe('full')
  })

  it('answers a client that missed more removals than are remembered', () => {
    const log = new StateLog(() => undefined)
    const pool = new FakePool('a')
    log.addPool(pool)
    for (let i = 0; i < 3000; i++) log.workerChanged('a', `w${i}`)
    const { rev } = log.snapshot()
    for (let i = 0; i < 1001; i++) log.workerRemoved('a', `w${i}`)
    expect(log.snapshot(rev).kind).toBe('full')
  })
})

it('ten thousand changes between two fetches are one revision', () => {
  let told = 0
  const log = new StateLog(() => {
    told += 1
  })
  log.addPool(new FakePool('a'))
  const { rev } = log.snapshot()
  for (let i = 0; i < 10_000; i++) log.headerChanged('a')
  expect(log.snapshot(rev).rev).toBe(rev + 1)
  expect(told).toBe(10_001)
})
