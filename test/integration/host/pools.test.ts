import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HostRequestError, type HostConnection } from '../../../src/discovery'
import {
  applySnapshot,
  errorCodes,
  type FullSnapshot,
  type LaunchErrorData,
  type ShutdownDone,
  type Output,
  type ParamsOf,
} from '../../../src/protocol'
import { buildHost, fixtures, isRunning, poolsOf, TestWorkspace, until, untilPool } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
let host: HostConnection
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(async () => {
  workspace = new TestWorkspace(built.hostScript)
  host = await workspace.connect()
})
afterEach(async () => {
  await workspace.dispose()
})

const work = join(fixtures, 'work.js')
const launch = (definition: Record<string, unknown>, more: Partial<ParamsOf<'unhang/launchPool'>> = {}) =>
  host.request('unhang/launchPool', { definition, ...more })
const shell = (script: string, items: unknown[] = [1], more: Record<string, unknown> = {}) => ({
  command: ['sh', '-c', script],
  items,
  ...more,
})
/** Ignores SIGTERM, and is one process: a child would be an issue of its own. */
const stubborn = (items: unknown[] = [1]) =>
  shell('trap "" TERM; exec sleep 1000', items, { processes: items.length, gracePeriodMs: 100 })
const refusal = async (request: Promise<unknown>): Promise<HostRequestError> => {
  const error: unknown = await request.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(HostRequestError)
  return error as HostRequestError
}
const ended = (poolId: string) => untilPool(host, poolId, 'the pool to end', (pool) => pool.state === 'ended')

describe('a launch', () => {
  it('by label runs the task of tasks.json to its end', async () => {
    workspace.writeTasks([{ label: 'Double', module: work + '#double', items: { range: [0, 20] }, processes: 2 }])
    const launched = await host.request('unhang/launchPool', { label: 'Double' })
    expect(launched).toMatchObject({ name: 'Double', total: 20, warnings: [] })
    const pool = await ended(launched.poolId)
    expect(pool).toMatchObject({
      name: 'Double',
      kind: 'module',
      label: 'Double',
      orphaned: false,
      failure: null,
      issues: [],
      counts: { done: 20, failed: 0, queued: 0 },
    })
    expect(pool.workers.map(({ name, status, exitCode }) => ({ name, status, exitCode }))).toEqual([
      { name: 'PoolWorker-1', status: 'exited', exitCode: 0 },
      { name: 'PoolWorker-2', status: 'exited', exitCode: 0 },
    ])
  })

  it('runs a command for each item, in the folder and the environment of the client', async () => {
    mkdirSync(join(workspace.root, 'sub'))
    const env = { ...(process.env as Record<string, string>), COLOUR: 'red', UNHANG_RUNTIME_DIR: 'theirs' }
    const { poolId } = await launch(
      shell('echo "$0 $COLOUR $SHADE $UNHANG_RUNTIME_DIR $PWD ${ELECTRON_RUN_AS_NODE:-none}" > out', [1], {
        command: [
          'sh',
          '-c',
          'echo "$0 $COLOUR $SHADE $UNHANG_RUNTIME_DIR $PWD ${ELECTRON_RUN_AS_NODE:-none}" > out-$0',
          '${item}',
        ],
        items: ['a'],
        cwd: 'sub',
        env: { SHADE: 'dark' },
      }),
      { env },
    )
    await ended(poolId)
    expect(readFileSync(join(workspace.root, 'sub', 'out-a'), 'utf8')).toBe(
      `a red dark theirs ${join(workspace.root, 'sub')} none\n`,
    )
  })

  it("takes the client's defaults where the definition says nothing", async () => {
    const { poolId } = await launch(
      { module: work + '#never', items: [1], processes: 1 },
      { defaults: { stuckAfterMs: 300 } },
    )
    const pool = await untilPool(host, poolId, 'the task to be stuck', ({ counts }) => counts.stuck === 1)
    expect(pool.workers[0]?.task).toMatchObject({
      stuck: true,
      verdict: {
        code: 'no-progress',
        messages: { summary: { id: '{0} has used no CPU and printed nothing for {1}.' } },
      },
    })
    expect(pool.etaMs).toBeNull()
  })

  it('of no items says so and ends', async () => {
    const launched = await launch(shell('true', []))
    expect(launched).toMatchObject({ total: 0, warnings: [expect.stringMatching(/no items/)] })
    await ended(launched.poolId)
  })

  it('of a module that lacks the export fails with its name, without spinning', async () => {
    const { poolId } = await launch({ module: work + '#tripple', items: { range: [0, 1000] }, processes: 2 })
    const pool = await ended(poolId)
    expect(pool.failure).toMatch(/"module": .*work\.js exports no function 'tripple'; it exports 'double'/)
    expect(pool.counts.failed).toBeLessThan(10)
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown key', { command: 'true', items: [1], proceses: 1 }, 'proceses'],
    ['a glob that matches nothing', { command: 'true', items: { glob: 'none/*' } }, 'items.glob'],
    ['a missing module', { module: './none.js', items: [1] }, 'module'],
    ['a missing program', { command: ['no-such-program'], items: [1] }, 'command[0]'],
    ['a missing cwd', { command: 'true', items: [1], cwd: 'none' }, 'cwd'],
    ['two programs', { command: 'true', module: './a.js', items: [1] }, 'module'],
  ])('with %s names the key, and leaves no pool behind', async (_, definition, key) => {
    const error = await refusal(launch(definition))
    expect(error.code).toBe(errorCodes.launch)
    const { problems } = error.data as LaunchErrorData
    expect(problems.map((problem) => problem.key)).toEqual([key])
    expect(error.message).toContain(problems[0]?.message)
    expect(await poolsOf(host)).toEqual([])
  })

  it('of a label nobody has tells the labels there are', async () => {
    workspace.writeTasks([{ label: 'Double', command: 'true', items: [] }])
    const error = await refusal(host.request('unhang/launchPool', { label: 'Dubble' }))
    expect(error.message).toMatch(/Did you mean "Double"/)
  })
})

describe('what a pool does', () => {
  it('is followed from the start: output in order, the last 64 KiB first', async () => {
    const heard: Output[] = []
    host.on('unhang/output', (params) => heard.push(params))
    const { poolId } = await launch(
      shell('echo out of $0; echo err >&2; until [ -e go ]; do sleep 0.05; done; echo later', [1], {
        command: [
          'sh',
          '-c',
          'echo out of $0; echo err >&2; until [ -e go ]; do sleep 0.05; done; echo later',
          '${item}',
        ],
      }),
    )
    await untilPool(host, poolId, 'the task to run', ({ counts }) => counts.running === 1)
    await host.request('unhang/followOutput', { poolId, follow: true })
    const text = (stream: string) =>
      heard
        .flatMap(({ chunks }) => chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.text))
        .join('')
    await until('what was printed before', () => text('stdout') === 'out of 1\n' && text('stderr') === 'err\n')
    writeFileSync(join(workspace.root, 'go'), '')
    await until('what is printed after', () => text('stdout') === 'out of 1\nlater\n')
    expect(heard[0]?.chunks[0]).toMatchObject({
      worker: 'PoolWorker-1',
      taskId: expect.stringMatching(/^t\d+$/) as string,
    })
    expect(heard.every(({ dropped }) => dropped === 0)).toBe(true)
  })

  it('is counted, and its failures are kept with exit code, signal and output', async () => {
    const { poolId } = await launch({
      command: [
        'sh',
        '-c',
        'echo hello; echo bad >&2; case $0 in 1) exit 0;; 2) exit 7;; 3) kill -9 $$;; esac',
        '${item}',
      ],
      items: [1, 2, 3],
      processes: 1,
    })
    const pool = await ended(poolId)
    expect(pool.counts).toMatchObject({ done: 1 })
    expect(pool.counts.failed + pool.counts.lost).toBe(2)
    const { failures, total } = await host.request('unhang/failures', { poolId })
    expect(total).toBe(2)
    expect(failures.map(({ exitCode, signal }) => ({ exitCode, signal }))).toEqual([
      { exitCode: 7, signal: null },
      { exitCode: null, signal: 'SIGKILL' },
    ])
    expect(readFileSync(failures[0]?.stderrPath ?? '', 'utf8')).toBe('bad\n')
    expect((await host.request('unhang/failures', { poolId, limit: 1 })).failures).toHaveLength(1)
  })

  it('is the same whether a client applies deltas or asks for everything', async () => {
    let held: FullSnapshot | undefined
    let deltas = 0
    let queue = Promise.resolve()
    const fetch = async () => {
      const fetched = await host.request('unhang/snapshot', held ? { since: held.rev } : {})
      if (fetched.kind === 'delta') deltas += 1
      held = applySnapshot(held, fetched)
    }
    host.on('unhang/changed', () => {
      queue = queue.then(fetch)
    })
    await host.request('unhang/watch', { workers: true, machine: true, intervalMs: 200 })
    const first = await launch(
      shell('exit $0', [0], {
        command: ['sh', '-c', 'exit $((${item} % 3))'],
        items: { range: [0, 300] },
        processes: 3,
      }),
    )
    const second = await launch({ module: work + '#double', items: { range: [0, 500] }, processes: 2 })
    await ended(first.poolId)
    await ended(second.poolId)
    await host.request('unhang/watch', { workers: false, machine: false, intervalMs: 200 })
    await until('the client to be up to date', async () => {
      // One after another: a delta applies only to what it was asked for.
      await (queue = queue.then(fetch))
      return (
        JSON.stringify(withoutClocks(held)) ===
        JSON.stringify(withoutClocks((await host.request('unhang/snapshot', {})) as FullSnapshot))
      )
    })
    expect(deltas).toBeGreaterThan(2)
    expect(held?.pools[0]?.workers).toHaveLength(100)
    expect(held?.pools[0]?.exitedWorkerCount).toBe(300)
  })

  it('is told at most four times in any second', async () => {
    const told: number[] = []
    host.on('unhang/changed', () => told.push(performance.now()))
    const { poolId } = await launch({ command: ['true'], items: { range: [0, 600] }, processes: 2 })
    await ended(poolId)
    await until('the last notice', () => performance.now() - (told.at(-1) ?? Infinity) > 300)
    expect(told.length).toBeGreaterThan(1)
    // Counted where they arrive, with a little room for the way there.
    for (const from of told) expect(told.filter((at) => at >= from && at < from + 950).length).toBeLessThanOrEqual(4)
  })

  it('is measured while somebody looks, and not afterwards', async () => {
    const { poolId } = await launch({ module: work + '#never', items: [1], processes: 1 })
    expect(
      (await untilPool(host, poolId, 'the task to run', ({ counts }) => counts.running === 1)).workers[0],
    ).toMatchObject({ cpuPercent: null, memoryBytes: null })
    await host.request('unhang/watch', { workers: true, machine: true, intervalMs: 200 })
    const pool = await untilPool(
      host,
      poolId,
      'a measurement',
      ({ workers }) => (workers[0]?.memoryBytes ?? 0) > 1_000_000 && workers[0]?.cpuPercent !== null,
    )
    expect(pool.workers[0]?.cpuPercent).toBeLessThan(100)
    const machine = await until('the machine', async () => (await host.request('unhang/snapshot', {})).machine)
    expect(machine.cores).toBeGreaterThan(0)
    expect(machine.memoryTotalBytes).toBeGreaterThan(machine.memoryUsedBytes)
    await host.request('unhang/watch', { workers: false, machine: false, intervalMs: 200 })
    await untilPool(host, poolId, 'no measurement', ({ workers }) => workers[0]?.memoryBytes === null)
    expect((await host.request('unhang/snapshot', {})).machine).toBeNull()
  })

  it('has an estimated end while it works', async () => {
    const { poolId } = await launch({ command: ['sleep', '0.1'], items: { range: [0, 40] }, processes: 2 })
    const pool = await untilPool(host, poolId, 'an estimate', ({ etaMs }) => etaMs !== null)
    expect(pool.etaMs).toBeGreaterThan(0)
    expect(pool.etaMs).toBeLessThan(30_000)
    await host.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'user' })
  })
})

describe('a shutdown', () => {
  const running = (poolId: string, count = 1) =>
    untilPool(host, poolId, 'the tasks to run', ({ counts }) => counts.running === count)
  /** A shell takes a moment to set its trap; before that SIGTERM still ends it. */
  const trapped = async (poolId: string, count = 1) => {
    const pool = await running(poolId, count)
    const pids = pool.workers.map(({ pid }) => pid)
    await until('the traps', () =>
      pids.every(
        (pid) =>
          (BigInt(`0x${/SigIgn:\s*(\w+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'}`) &
            (1n << 14n)) !==
          0n,
      ),
    )
    return pids
  }

  it('of a pool that obeys reports no issue, and every client hears of it', async () => {
    const other = await workspace.connect({ client: 'cli' })
    const heard: ShutdownDone[] = []
    other.on('unhang/shutdownDone', (params) => heard.push(params))
    const { poolId } = await launch({ module: work + '#never', items: [1, 2], processes: 2, name: undefined })
    const pids = (await running(poolId, 2)).workers.map(({ pid }) => pid)
    const { issues, reports } = await host.request('unhang/shutdown', {
      targets: [{ kind: 'pool', poolId }],
      mode: 'terminate',
      askedBy: 'user',
      reason: 'enough',
    })
    expect(issues).toEqual([])
    expect(reports[0]?.workers.map(({ pid }) => pid).sort()).toEqual([...pids].sort())
    expect(pids.filter(isRunning)).toEqual([])
    await until('the other client to hear of it', () => heard.length === 1)
    expect(heard[0]).toMatchObject({ askedBy: 'user', reason: 'enough', report: { subject: { id: poolId } } })
  })

  it('of one that ignores SIGTERM reports it, keeps it, and kill ends it', async () => {
    const { poolId } = await launch(stubborn())
    const [pid = -1] = await trapped(poolId)
    const order = { targets: [{ kind: 'pool' as const, poolId }], askedBy: 'cli' as const }
    const { issues } = await host.request('unhang/shutdown', { ...order, mode: 'terminate' })
    expect(issues).toEqual([expect.stringMatching(new RegExp(`still alive.*PoolWorker-1.*pid=${pid}`))])
    const pool = await untilPool(host, poolId, 'the issue to be shown', (shown) => shown.issues.length === 1)
    expect(pool.state).toBe('terminate')
    expect((await host.request('unhang/shutdown', { ...order, mode: 'kill' })).issues).toEqual([])
    expect(isRunning(pid)).toBe(false)
    await ended(poolId)
    const { killsFile } = await workspace.endpoint()
    const kills = await until(
      'the kill ledger',
      () =>
        existsSync(killsFile) && readFileSync(killsFile, 'utf8').includes('SIGKILL') && readFileSync(killsFile, 'utf8'),
    )
    expect(
      kills
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { signal: string; askedBy: string }).signal),
    ).toEqual(expect.arrayContaining(['SIGTERM', 'SIGKILL']))
  })

  it('of one worker leaves the others, and the pool replaces it', async () => {
    const { poolId } = await launch({ module: work + '#never', items: [1, 2, 3], processes: 2 })
    const before = await running(poolId, 2)
    const pid = before.workers[0]?.pid ?? -1
    await host.request('unhang/shutdown', { targets: [{ kind: 'worker', poolId, pid }], mode: 'kill', askedBy: 'user' })
    const pool = await untilPool(
      host,
      poolId,
      'a replacement at work',
      ({ counts }) => counts.lost === 1 && counts.running === 2,
    )
    expect(pool.workers.find((worker) => worker.pid === pid)).toMatchObject({
      status: 'exited',
      signal: 'SIGKILL',
      task: { state: 'lost' },
    })
    expect(pool.workers.map(({ name }) => name)).toEqual(['PoolWorker-1', 'PoolWorker-2', 'PoolWorker-3'])
  })

  it('of a task ends the worker that runs it, or takes it out of the queue', async () => {
    const { poolId } = await launch({ module: work + '#never', items: [1, 2], processes: 1 })
    const task = (await running(poolId)).workers[0]?.task
    await host.request('unhang/shutdown', {
      targets: [{ kind: 'task', poolId, taskId: task?.id ?? '' }],
      mode: 'kill',
      askedBy: 'user',
    })
    await untilPool(host, poolId, 'the next one to run', ({ counts }) => counts.lost === 1 && counts.running === 1)
  })

  it('of what is stuck leaves the rest', async () => {
    const { poolId } = await launch({
      command: [
        'sh',
        '-c',
        'if [ $0 = stuck ]; then sleep 1000; else while :; do echo x; sleep 0.05; done; fi',
        '${item}',
      ],
      items: ['stuck', 'busy'],
      processes: 2,
      stuckAfterMs: 500,
    })
    await untilPool(host, poolId, 'one to be stuck', ({ counts }) => counts.stuck === 1)
    await host.request('unhang/shutdown', { targets: [{ kind: 'stuck' }], mode: 'kill', askedBy: 'user' })
    const pool = await untilPool(
      host,
      poolId,
      'the stuck one to be gone',
      ({ counts }) => counts.stuck === 0 && counts.running === 1,
    )
    expect(pool.counts.lost).toBe(1)
  })

  it('of all ends every pool at once, and twice is fine', async () => {
    const pools = await Promise.all([
      launch(stubborn([1, 2])),
      launch({ module: work + '#never', items: [1], processes: 1 }),
    ])
    await trapped(pools[0].poolId, 2)
    await running(pools[1].poolId)
    const order = { targets: [{ kind: 'all' as const }], mode: 'kill' as const, askedBy: 'user' as const }
    const [first, second] = await Promise.all([
      host.request('unhang/shutdown', order),
      host.request('unhang/shutdown', order),
    ])
    expect([...first.issues, ...second.issues]).toEqual([])
    for (const { poolId } of pools) await ended(poolId)
    expect(await host.request('unhang/shutdown', order)).toEqual({ issues: [], reports: [] })
  })

  it('names each worker once, however often it is asked for', async () => {
    const { poolId } = await launch(stubborn([1, 2]))
    const pids = await trapped(poolId, 2)
    const { reports } = await host.request('unhang/shutdown', {
      targets: [
        { kind: 'worker', poolId, pid: pids[0] ?? -1 },
        { kind: 'pool', poolId },
        { kind: 'worker', poolId, pid: pids[0] ?? -1 },
      ],
      mode: 'kill',
      askedBy: 'user',
    })
    expect(reports).toHaveLength(1)
  })

  it.each<[string, Record<string, unknown>]>([
    ['a pool that is not there', { kind: 'pool', poolId: 'pool-none' }],
    ['a worker that is not there', { kind: 'worker', poolId: '', pid: 1 }],
    ['a task that is not there', { kind: 'task', poolId: '', taskId: 't99' }],
  ])('of %s is refused', async (_, target) => {
    const { poolId } = await launch({ module: work + '#never', items: [1], processes: 1 })
    await running(poolId)
    const wanted = { ...target, ...(target.poolId === '' ? { poolId } : {}) } as { kind: 'pool'; poolId: string }
    expect(
      (await refusal(host.request('unhang/shutdown', { targets: [wanted], mode: 'kill', askedBy: 'user' }))).code,
    ).toBe(errorCodes.notFound)
    expect((await poolsOf(host))[0]?.counts.running).toBe(1)
  })

  it('of a worker of the host itself, or of anybody else, is refused', async () => {
    const { poolId } = await launch({ module: work + '#never', items: [1], processes: 1 })
    await running(poolId)
    for (const pid of [host.info.pid, process.pid, 1, 0, -1]) {
      expect(
        (
          await refusal(
            host.request('unhang/shutdown', {
              targets: [{ kind: 'worker', poolId, pid }],
              mode: 'kill',
              askedBy: 'user',
            }),
          )
        ).code,
      ).toBe(errorCodes.notFound)
    }
  })
})

describe('a task', () => {
  it('that waits is cancelled; one that runs loses its worker; one that has ended is refused', async () => {
    const { poolId } = await launch({ module: work + '#never', items: [1, 2, 3], processes: 1 })
    const running =
      (await untilPool(host, poolId, 'the first to run', ({ counts }) => counts.running === 1)).workers[0]?.task?.id ??
      ''
    await host.request('unhang/cancelTask', { poolId, taskId: running })
    await untilPool(host, poolId, 'the next to run', ({ counts }) => counts.cancelled === 1 && counts.running === 1)
    expect((await refusal(host.request('unhang/cancelTask', { poolId, taskId: running }))).code).toBe(
      errorCodes.wrongState,
    )
    expect((await refusal(host.request('unhang/cancelTask', { poolId, taskId: 't999' }))).code).toBe(
      errorCodes.notFound,
    )
  })

  it('that failed runs once more while its pool runs, and not after', async () => {
    const { poolId } = await launch({
      command: ['sh', '-c', 'case $0 in a) [ -e again ];; b) until [ -e end ]; do sleep 0.05; done;; esac', '${item}'],
      items: ['a', 'b'],
      processes: 2,
    })
    await untilPool(host, poolId, 'a failure', ({ counts }) => counts.failed === 1)
    const { failures } = await host.request('unhang/failures', { poolId })
    writeFileSync(join(workspace.root, 'again'), '')
    await host.request('unhang/retryTask', { poolId, taskId: failures[0]?.taskId ?? '' })
    await untilPool(host, poolId, 'the retry', ({ counts }) => counts.done === 1)
    writeFileSync(join(workspace.root, 'end'), '')
    await ended(poolId)
    expect((await refusal(host.request('unhang/retryTask', { poolId, taskId: failures[0]?.taskId ?? '' }))).code).toBe(
      errorCodes.wrongState,
    )
  })
})

describe('a pool', () => {
  it('that has ended is removed with its output, one that runs is not', async () => {
    const { outputDirectory } = await workspace.endpoint()
    const { poolId } = await launch(shell('echo hello; until [ -e end ]; do sleep 0.05; done'))
    await untilPool(host, poolId, 'the task to run', ({ counts }) => counts.running === 1)
    expect((await refusal(host.request('unhang/removePool', { poolId }))).code).toBe(errorCodes.wrongState)
    writeFileSync(join(workspace.root, 'end'), '')
    await ended(poolId)
    await host.request('unhang/removePool', { poolId })
    expect(await poolsOf(host)).toEqual([])
    await until('its output to be gone', () => readdirOrNone(outputDirectory).length === 0)
  })

  it('goes on when its client leaves, and is there for the next', async () => {
    const { poolId } = await launch({ module: work + '#never', items: [1], processes: 1 })
    const before = await untilPool(host, poolId, 'the task to run', ({ counts }) => counts.running === 1)
    await host.close()
    host = await workspace.connect()
    expect((await poolsOf(host))[0]?.workers[0]?.pid).toBe(before.workers[0]?.pid)
  })

  it('ends through the shutdown core when the host is stopped, with the issues as the answer', async () => {
    const { poolId } = await launch(stubborn())
    const pool = await untilPool(host, poolId, 'the task to run', ({ counts }) => counts.running === 1)
    const pid = pool.workers[0]?.pid ?? -1
    workspace.track(pid)
    await until(
      'the trap',
      () =>
        (BigInt(`0x${/SigIgn:\s*(\w+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'}`) &
          (1n << 14n)) !==
        0n,
    )
    const { issues } = await host.request('unhang/stopHost', {})
    expect(issues).toContainEqual(expect.stringMatching(/still alive: PoolWorker-1/))
    await until('the host to end', () => !isRunning(host.info.pid))
    expect(isRunning(pid)).toBe(true)
  })
})

function withoutClocks(snapshot: FullSnapshot | undefined): unknown {
  return (
    snapshot && {
      machine: snapshot.machine,
      pools: snapshot.pools.map((pool) => ({
        ...pool,
        workers: pool.workers.map((worker) => ({ ...worker, task: worker.task && { ...worker.task, elapsedMs: 0 } })),
      })),
    }
  )
}

function readdirOrNone(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
