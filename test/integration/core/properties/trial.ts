import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { PoolStateError, QueueFullError } from '../../../../src/core'
import type { AsyncResult, Pool, TaskInfo } from '../../../../src/core'
import { KillLedger } from '../../../../src/shutdown'
import { processTable } from '../../../../src/processes'
import type { ProcessTable } from '../../../../src/processes'
import type { ShutdownDependencies } from '../../../../src/shutdown'
import { deadly, endless } from './steps'
import type { Ending, Kind, Plan, PoolShape, Step, Work } from './steps'

/**
 * Nothing at all has happened for so long: longer than anything here takes on a machine that is busy with other things.
 */
const hangMs = 15_000

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

interface Submitted {
  readonly works: readonly (Work & { readonly id: number })[]
  result: Pick<AsyncResult, 'ready' | 'cancel' | 'taskIds'> | null
  /** What its callbacks were called with. */
  readonly outcomes: Outcome[]
  /** We asked for its end. */
  cancelAsked: boolean
  /** How often each of its tasks had begun when `cancel()` said that it is over. */
  begunAtCancel: ReadonlyMap<number, number> | undefined
}

/**
 * Does to a pool what a plan says, and compares with what must hold whatever happens. Every task writes its number to a
 * journal when it begins, which shows what really ran, and how often.
 */
export class Trial {
  readonly #plan: Plan
  readonly #runtime: 'node' | 'python' | 'command'
  readonly #journal: string

  readonly #system: ShutdownDependencies
  readonly #violations: string[] = []
  readonly #submitted: Submitted[] = []
  readonly #pids = new Set<number>()
  /** Workers whose death is no surprise: killed from outside, or on request. */
  readonly #condemned = new Set<number>()
  readonly #stopped = new Set<number>()
  readonly #ends = new Map<string, TaskInfo>()
  readonly #lostBy = new Map<number, string[]>()
  /** Whatever runs beside the steps: cancels, iterations. */
  readonly #beside: Promise<unknown>[] = []
  #lastId = 0
  #progressAt = 0
  #pool: Pool | undefined

  constructor(plan: Plan, runtime: 'node' | 'python' | 'command', journal: string) {
    this.#plan = plan
    this.#runtime = runtime
    this.#journal = journal

    // The one door through which signals leave.
    const signal: ProcessTable['signal'] = (identity, name) => {
      if (!this.#isOurs(identity.pid))
        this.#violated(
          `${name} was to be sent to pid ${identity.pid}, which is no worker of this pool, nor has it been ` +
            'started by one',
        )
      return processTable.signal(identity, name)
    }
    const processes = new Proxy(processTable, {
      get: (table, key) => {
        if (key === 'signal') return signal
        const value: unknown = Reflect.get(table, key, table)
        return typeof value === 'function' ? (value.bind(table) as unknown) : value
      },
    })
    this.#system = { processes, ledger: new KillLedger() }
  }

  async run(makePool: (shape: PoolShape, system: ShutdownDependencies) => Pool): Promise<void> {
    const { shape, steps, ending } = this.#plan
    const pool = (this.#pool = makePool(shape, this.#system))
    this.#listen(pool)
    if (this.#plan.warm) await this.#inTime(this.#warm(pool), 'warming up')
    for (const step of steps) {
      this.#step(pool, step)
      if (step.do === 'wait') await pause(step.ms)
      else if (step.do !== 'block') await Promise.resolve()
    }
    await this.#end(pool, ending)
    await this.#inTime(Promise.all(this.#beside), 'what went on beside')
    this.#check(pool)
    if (this.#violations.length > 0)
      throw new Error(`${this.#violations.slice(0, 10).join('\n')}\n${JSON.stringify(this.#plan)}`)
  }

  async #warm(pool: Pool): Promise<void> {
    const isReady = (): boolean =>
      pool.state === 'ended' || pool.workers.some(({ status }) => status === 'idle' || status === 'busy')
    for (let n = 0; n < 10; n++)
      for (const fn of ['work', 'other', 'chatty'] as const)
        this.#step(pool, { do: 'apply', works: [{ ...quick, fn }] })
    // Where there is a process for each task, nothing has to be learned.
    while (!isReady()) await pause(2)
    while (this.#runtime !== 'command' && pool.counts.queued > 0) await pause(1)
  }

  #violated(what: string): void {
    this.#violations.push(what)
  }

  #listen(pool: Pool): void {
    pool.on('workerStart', ({ pid }) => {
      this.#pids.add(pid)
    })
    pool.on('taskEnd', (task) => {
      this.#progressAt = Date.now()
      if (this.#ends.has(task.id)) this.#violated(`the end of ${task.id} ${task.label} was told twice`)
      this.#ends.set(task.id, task)
    })
    pool.on('taskLost', (task, worker) => {
      this.#lostBy.set(worker.pid, [...(this.#lostBy.get(worker.pid) ?? []), task.label])
    })
  }

  #step(pool: Pool, step: Step): void {
    try {
      this.#try(pool, step)
    } catch (error) {
      // A queue that is full, or a pool that has ended because of `onFailure`.
      if (error instanceof QueueFullError && this.#plan.shape.maxQueued !== undefined) return
      if (error instanceof PoolStateError && this.#mayEndByItself(pool)) return
      throw error
    }
  }

  #mayEndByItself(pool: Pool): boolean {
    return this.#plan.shape.onFailure === 'stop' && pool.state !== 'run' && pool.state !== 'init'
  }

  #try(pool: Pool, step: Step): void {
    switch (step.do) {
      case 'apply':
        for (const work of step.works) this.#apply(pool, work)
        return
      case 'burst':
        for (let n = 0; n < step.count; n++)
          this.#apply(pool, n === step.count >> 1 && step.among !== null ? step.among : quick)
        return
      case 'map':
      case 'imap':
      case 'imapUnordered':
      case 'items':
        this.#many(pool, step)
        return
      case 'cancel':
      case 'killTask':
        this.#cancelSome(pool, step)
        return
      case 'killWorker':
      case 'terminateWorker': {
        const worker = pool.workers.at(step.at % Math.max(1, pool.workers.length))
        if (worker === undefined || worker.pid === -1) return
        this.#condemned.add(worker.pid)
        const ended =
          step.do === 'killWorker'
            ? pool.killWorker(worker.pid)
            : pool.shutdownWorker(worker.pid, { kill: false, useSigkill: true, askedBy: 'api', reason: 'a test' })
        this.#beside.push(ended)
        return
      }
      case 'SIGKILL':
      case 'SIGTERM':
      case 'SIGSTOP':
      case 'SIGCONT':
        this.#signal(pool, step.do, step.at)
        return
      case 'resize':
        pool.resize(step.processes)
        return
      case 'hold':
        pool.hold()
        return
      case 'resume':
        pool.resume()
        return
      case 'block':
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, step.ms)
        return
      case 'wait':
        return
    }
  }

  #submit(works: readonly Work[]): Submitted {
    const submitted: Submitted = {
      works: works.map((work, n) => ({ ...work, id: this.#lastId + 1 + n })),
      result: null,
      outcomes: [],
      cancelAsked: false,
      begunAtCancel: undefined,
    }
    return submitted
  }

  /** Handed in without an exception. */
  #keep(submitted: Submitted): void {
    this.#submitted.push(submitted)
    this.#lastId += submitted.works.length
  }

  #apply(pool: Pool, work: Work): void {
    const submitted = this.#submit([work])
    const [one] = submitted.works
    if (one === undefined) return
    const callbacks = callbacksOf(submitted)
    submitted.result =
      this.#runtime === 'command'
        ? pool.runItem(`${one.id} ${work.kind} ${work.value}`, one.id, callbacks)
        : pool.applyAsync(work.fn, [one.id, work.kind, work.value], callbacks)
    this.#keep(submitted)
  }

  /** Many items at once: what becomes of each task of them is known from the events and the journal. */
  #many(pool: Pool, step: Extract<Step, { do: 'map' | 'imap' | 'imapUnordered' | 'items' }>): void {
    const submitted = this.#submit(
      Array.from({ length: step.count }, (_, n): Work =>
        n === step.count >> 1 && step.among !== null ? step.among : quick,
      ),
    )
    const items = submitted.works.map(({ id, kind, value }) => [id, kind, value])
    const { chunkSize } = step
    if (this.#runtime === 'command' || step.do === 'items') {
      const source = this.#runtime === 'command' ? items.map((item) => item.join(' ')) : items
      const seen = new Set<number>()
      const { done } = pool.runItems(source, {
        onResult: (index) => {
          if (seen.has(index)) this.#violated(`item ${index} has two results`)
          seen.add(index)
        },
      })
      this.#beside.push(done)
    } else if (step.do === 'map') {
      submitted.result = pool.mapAsync('each', items, { chunkSize, ...callbacksOf(submitted) })
    } else {
      const iterator =
        step.do === 'imap' ? pool.imap('item', items, { chunkSize }) : pool.imapUnordered('item', items, { chunkSize })
      this.#beside.push(this.#iterate(iterator, submitted, step.do === 'imap', step.leaveAfter))
    }
    this.#keep(submitted)
  }

  async #iterate(
    iterator: AsyncIterableIterator<unknown>,
    { works }: Submitted,
    ordered: boolean,
    leaveAfter: number,
  ): Promise<void> {
    const expected = new Map(works.map((work) => [work.id, valueOf(work)]))
    let last = -1
    let taken = 0
    while (taken < leaveAfter) {
      try {
        const step = await iterator.next()
        if (step.done === true) break
        const id = [...expected].find(([, value]) => isDeepStrictEqual(step.value, value))?.[0]
        if (id === undefined) this.#violated(`an imap gave ${shown(step.value)}, or gave it twice`)
        else {
          expected.delete(id)
          if (ordered && id < last) this.#violated(`an imap gave ${id} after ${last}`)
          last = id
        }
        taken++
      } catch (error) {
        if (error instanceof PoolStateError) break
        // A chunk's own error; the iteration goes on.
      }
    }
    await iterator.return?.()
  }

  #cancelSome(pool: Pool, step: Extract<Step, { do: 'cancel' | 'killTask' }>): void {
    const open = this.#submitted.filter(({ result }) => result?.ready() === false)
    if (open.length === 0) return
    for (let n = 0; n < step.count && n < open.length; n++) {
      const one = open[(step.at + n) % open.length]
      if (one !== undefined) this.#cancel(pool, one, step.do === 'killTask')
    }
  }

  #cancel(pool: Pool, one: Submitted, kill: boolean): void {
    const { result } = one
    if (result === null) return
    one.cancelAsked = true
    const cancelled = kill ? Promise.all(result.taskIds.map((id) => pool.killTask(id))) : result.cancel()
    this.#beside.push(
      cancelled.then(() => {
        // A task that retries had left it for another worker is a matter of its own.
        if (!result.ready()) this.#violated(`${result.taskIds.join()} has not ended although its cancel has`)
        const begun = this.#begun()
        one.begunAtCancel = new Map(one.works.map(({ id }) => [id, begun.get(id) ?? 0]))
      }),
    )
  }

  /** Only to a worker of this pool that can take tasks and that is a child of ours. */
  #signal(pool: Pool, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT', at: number): void {
    const alive = pool.workers.filter(
      ({ pid, status }) => (status === 'idle' || status === 'busy' || status === 'stopping') && isChild(pid),
    )
    const worker = alive.at(at % Math.max(1, alive.length))
    if (worker === undefined) return
    if (signal === 'SIGSTOP') this.#stopped.add(worker.pid)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') this.#condemned.add(worker.pid)
    process.kill(worker.pid, signal)
  }

  #continueAll(): void {
    for (const pid of this.#stopped) if (isChild(pid)) process.kill(pid, 'SIGCONT')
    this.#stopped.clear()
  }

  async #end(pool: Pool, ending: Ending): Promise<void> {
    this.#continueAll()
    pool.resume()
    if (ending.do === 'close') {
      pool.close()
      if (ending.twice) pool.close()
      for (const one of this.#submitted) {
        if (one.result?.ready() === false && one.works.some(({ kind }) => endless.has(kind)))
          this.#cancel(pool, one, ending.twice)
      }
      await this.#inTime(this.#endEndless(pool), 'close() and join()')
      return
    }
    const end = (): Promise<string[]> =>
      ending.do === 'kill' ? pool.kill() : pool.terminate({ gracePeriodMs: ending.gracePeriodMs, useSigkill: true })
    for (const { pid } of pool.workers) this.#condemned.add(pid)
    const issues = await this.#inTime(Promise.all([end(), ...(ending.twice ? [end(), pool.kill()] : [])]), ending.do)
    if (issues !== undefined && issues.flat().length > 0) this.#violated(`could not be ended: ${issues.flat().join()}`)
    await this.#inTime(pool.join(), `join() after ${ending.do}`)
  }

  /** Items have no result that could be cancelled: those that never end are looked for among what runs. */
  async #endEndless(pool: Pool): Promise<void> {
    const joined = pool.join()
    const isEnded = (): boolean => pool.state === 'ended'
    while (!isEnded()) {
      const unending = pool
        .runningTasks()
        .filter(({ label, startedAt }) => isEndless(label, Date.now() - (startedAt ?? Infinity)))
      await Promise.all(unending.map(({ id }) => pool.killTask(id)))
      await Promise.race([joined, pause(20)])
    }
    await joined
  }

  /** Everything that is waited for comes to an end: it may take long, but not without anything going on. */
  async #inTime<T>(promise: Promise<T>, what: string): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined
    this.#progressAt = Date.now()
    const late = new Promise<'late'>((resolve) => {
      timer = setInterval(() => {
        if (Date.now() - this.#progressAt > hangMs) resolve('late')
      }, 100)
    })
    try {
      const first = await Promise.race([promise.then((value) => ({ value })), late])
      if (first !== 'late') return first.value
      const { state, counts, workers } = this.#pool ?? {}
      this.#violated(`HANG: ${what} did not come to an end: ${JSON.stringify({ state, counts, workers })}`)
      await this.#pool?.kill()
      return undefined
    } finally {
      clearInterval(timer)
    }
  }

  #begun(): Map<number, number> {
    const begun = new Map<number, number>()
    if (!existsSync(this.#journal)) return begun
    for (const line of readFileSync(this.#journal, 'utf8').split('\n')) {
      if (line !== '') begun.set(Number(line), (begun.get(Number(line)) ?? 0) + 1)
    }
    return begun
  }

  #check(pool: Pool): void {
    if (pool.state !== 'ended') this.#violated(`it is in state ${pool.state}`)
    const begun = this.#begun()
    const most = this.#plan.shape.retries + 1
    for (const [id, times] of begun)
      if (times > most) this.#violated(`${id} began ${times} times with ${this.#plan.shape.retries} retries`)
    for (const one of this.#submitted) this.#checkOne(one, begun)
    this.#checkCounts(pool)
    for (const [pid, labels] of this.#lostBy) {
      if (labels.length > 1) this.#violated(`pid ${pid} took ${labels.length} tasks with it: ${labels.join()}`)
    }
    for (const pid of this.#pids) if (isChild(pid)) this.#violated(`pid ${pid} is left`)
  }

  /** A worker, or something with its mark in the environment; whoever is gone already can be hit by nothing. */
  #isOurs(pid: number): boolean {
    if (this.#pids.has(pid)) return true
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
      // Empty: it is dead, or is just being replaced by what it executes.
      return environment === '' || environment.includes(`UNHANG_WORKER=${this.#pool?.id ?? ''}/`)
    } catch {
      return true
    }
  }

  #checkOne(one: Submitted, begun: ReadonlyMap<number, number>): void {
    const { works, result, outcomes } = one
    const what =
      `${works[0]?.id ?? ''}${works.length > 1 ? ` … ${works.at(-1)?.id ?? ''}` : ''} ` +
      `(${[...new Set(works.map(({ kind }) => kind))].join()})`
    for (const [id, times] of one.begunAtCancel ?? []) {
      if ((begun.get(id) ?? 0) !== times) this.#violated(`${id} of ${what} began after its cancel was over`)
    }
    if (result === null) return
    const [outcome] = outcomes
    if (outcome === undefined || outcomes.length !== 1) this.#violated(`${what}: settled ${outcomes.length} times`)
    else if (outcome.ok) this.#checkDone(what, one, outcome.value, begun)
    else this.#checkError(what, one, outcome.error as Error & { pid?: number }, begun)
  }

  #checkDone(what: string, { works, result }: Submitted, value: unknown, begun: ReadonlyMap<number, number>): void {
    for (const { id } of works) {
      const times = begun.get(id) ?? 0
      if (times < 1 || (this.#plan.shape.retries === 0 && times > 1))
        this.#violated(`${id} of ${what} is done and began ${times} times`)
    }
    if (this.#runtime === 'command' || result === null) return
    const expected = works.map(valueOf)
    if (!isDeepStrictEqual(value, expected) && !(works.length === 1 && isDeepStrictEqual(value, expected[0])))
      this.#violated(`${what} gave ${shown(value)}`)
  }

  #checkError(
    what: string,
    { works, cancelAsked }: Submitted,
    error: Error & { pid?: number },
    begun: ReadonlyMap<number, number>,
  ): void {
    const { shape, ending } = this.#plan
    const has = (...kinds: Kind[]): boolean => works.some(({ kind }) => kinds.includes(kind))
    const isDeadly = works.some(({ kind }) => deadly.has(kind))
    const endedAll = ending.do !== 'close' || shape.onFailure === 'stop'
    const fair: Record<string, boolean> = {
      RangeError: has('throw'),
      ValueError: has('throw'),
      SoftTimeLimitExceeded: shape.softTimeoutMs !== undefined,
      CommandFailedError: has('throw') || isDeadly,
      SerializationError: has('unsendable'),
      TaskCancelledError: cancelAsked || endedAll,
      TaskTimeoutError:
        shape.timeoutMs !== undefined || (this.#runtime === 'command' && shape.softTimeoutMs !== undefined),
      WorkerLostError: isDeadly || endedAll || (error.pid !== undefined && this.#condemned.has(error.pid)),
      PoolStateError: endedAll,
    }
    if (fair[error.name] !== true) this.#violated(`${what} ended with ${error.name}: ${error.message}`)
    const byItself = error.name === 'RangeError' || error.name === 'ValueError' || error.name === 'SerializationError'
    const [first] = works
    if (byItself && first && works.length === 1 && (begun.get(first.id) ?? 0) < 1)
      this.#violated(`${what} threw and never began`)
  }

  #checkCounts(pool: Pool): void {
    const { queued, running, stuck, ...ended } = pool.counts
    if (queued !== 0 || running !== 0 || stuck !== 0)
      this.#violated(`after the end there are ${JSON.stringify(pool.counts)}`)
    const told: Record<string, number> = {}
    for (const { state } of this.#ends.values()) told[state] = (told[state] ?? 0) + 1
    for (const [state, count] of Object.entries(ended)) {
      // Items that nobody took are counted as cancelled, and have no end of their own.
      if (state === 'cancelled' ? count < (told[state] ?? 0) : count !== (told[state] ?? 0))
        this.#violated(`${count} tasks are ${state}, ${told[state] ?? 0} were told`)
    }
    const applied = this.#submitted.filter(({ result, works }) => result !== null && works.length === 1)
    if (applied.length > this.#ends.size)
      this.#violated(`${applied.length} tasks were handed in, ${this.#ends.size} ends were told`)
    const { utilisation } = pool.stats()
    if (!(utilisation >= 0 && utilisation <= 1.0001)) this.#violated(`utilisation is ${utilisation}`)
  }
}

const quick: Work = { kind: 'quick', value: 0, fn: 'work' }

function valueOf({ id, kind, value }: Submitted['works'][number]): unknown {
  return kind === 'big' ? { id, text: 'x'.repeat(value) } : 2 * id + 1
}

function shown(value: unknown): string {
  return ((JSON.stringify(value) as string | undefined) ?? 'undefined').slice(0, 80)
}

function callbacksOf({ outcomes }: Submitted): {
  callback: (value: unknown) => void
  errorCallback: (error: unknown) => void
} {
  return {
    callback: (value) => outcomes.push({ ok: true, value }),
    errorCallback: (error) => outcomes.push({ ok: false, error }),
  }
}

/** Of imap() and runItems() nobody knows which task is which: one that takes long is. */
function isEndless(label: string, elapsedMs: number): boolean {
  return [...endless].some((kind) => label.includes(kind)) || (label.includes('item') && elapsedMs > 200)
}

/** False once it has been collected, and for any process that is not a child of ours. */
function isChild(pid: number): boolean {
  if (pid <= 1) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(parent) === process.pid && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
