import { judgeRunningTask } from '../../diagnosis'
import type { RunningTaskFacts, Verdict } from '../../diagnosis'
import type { ProcessIdentity, ProcessRow, ProcessTable } from '../../processes'
import type { Task } from '../tasks/task'
import type { Worker } from '../workers/worker'

/**
 * CPU time that is no progress: a process that only waits still wakes up for its timers. Half a percent of a core, and
 * never less than two ticks of the kernel's clock (10 ms each), by which its figures are rounded.
 */
const idleCpuShare = 0.005
const idleCpuLeastMs = 20
/** Looks at a task that is over the threshold, as a share of stuckAfterMs, within these limits. */
const lookShare = 0.125
const shortestLookMs = 50
const longestLookMs = 2000
/**
 * A pause between two looks that is so much longer than planned means that this whole machine was asleep or overloaded.
 */
const sleptFactor = 4

/** What is remembered of a task between two looks. */
interface Look {
  readonly attempt: number
  readonly firstAt: number
  readonly firstBytes: number
  lastAt: number
  /** When it last moved: CPU time or output. */
  movedAt: number
  bytes: number
  cpuSinceMove: number
  cpuTotal: number
  /** CPU time so far of each process, by pid and start time. */
  cpu: Map<string, number>
  state: RunningTaskFacts['state']
  stateSeenTimes: number
}

export interface StuckDetectorHooks {
  running(): Iterable<{ readonly task: Task; readonly worker: Worker }>
  judged(task: Task, worker: Worker, verdict: Verdict | null, stuck: boolean): void
  /** The system refused a look; the next one is made all the same. */
  failed(error: unknown): void
}

/**
 * Looks at tasks that have been running for long, from half of `stuckAfterMs` on, and says which of them are stuck. One
 * timer for the pool, one pass over the process table for all tasks looked at; a pool of short tasks costs nothing at
 * all.
 */
export class StuckDetector {
  readonly #stuckAfterMs: number
  readonly #table: ProcessTable
  readonly #hooks: StuckDetectorHooks
  readonly #lookEveryMs: number
  readonly #looks = new Map<Task, Look>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #stopped = false

  constructor(stuckAfterMs: number, table: ProcessTable, hooks: StuckDetectorHooks) {
    this.#stuckAfterMs = stuckAfterMs
    this.#table = table
    this.#hooks = hooks
    this.#lookEveryMs = Math.min(longestLookMs, Math.max(shortestLookMs, stuckAfterMs * lookShare))
  }

  /** A task has begun: from now on there is something to look at later. */
  taskStarted(): void {
    if (this.#timer !== undefined || this.#looking || this.#stopped) return
    this.#schedule(this.#stuckAfterMs / 2)
  }

  /** Forgets a task that does not run any more. */
  taskEnded(task: Task): void {
    if (this.#looks.size > 0) this.#looks.delete(task)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#looks.clear()
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#look()
    }, delayMs)
    // Workers keep this process alive, not the watch over them.
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    this.#looking = true
    try {
      const due = [...this.#hooks.running()].filter(({ task }) => task.elapsedMs >= this.#stuckAfterMs / 2 - 1)
      if (due.length > 0) await this.#judge(due)
    } catch (error) {
      this.#hooks.failed(error)
    }
    this.#looking = false
    if (this.#stopped) return
    const delay = this.#nextDelay()
    if (delay !== undefined) this.#schedule(delay)
  }

  /** Until the next task comes of age; undefined when nothing runs. */
  #nextDelay(): number | undefined {
    let least = Infinity
    for (const { task } of this.#hooks.running()) {
      const age = task.elapsedMs
      const look = this.#looks.get(task)
      const until =
        look === undefined
          ? this.#stuckAfterMs / 2 - age
          : age < this.#stuckAfterMs
            ? Math.min(this.#stuckAfterMs - age, Math.max(this.#stuckAfterMs / 4, shortestLookMs))
            : this.#lookEveryMs
      least = Math.min(least, until)
    }
    return least === Infinity ? undefined : Math.max(least, shortestLookMs / 2)
  }

  async #judge(due: readonly { task: Task; worker: Worker }[]): Promise<void> {
    const known: { task: Task; worker: Worker; identity: ProcessIdentity }[] = []
    for (const { task, worker } of due) {
      const identity = await worker.identity()
      if (identity !== undefined) known.push({ task, worker, identity })
    }
    const below = await this.#table.descendants(
      known.map(({ identity, worker }) => ({ identity, marker: worker.marker })),
    )
    const usage = await this.#table.usage(
      known.flatMap(({ identity }) => [identity, ...(below.get(identity.pid) ?? []).map((row) => row.identity)]),
    )
    for (const { task, worker, identity } of known) {
      const row = await this.#table.inspect(identity)
      if (row === undefined || task.state !== 'running' || worker.task !== task || this.#stopped) continue
      const descendants = below.get(identity.pid) ?? []
      const cpu = new Map<string, number>()
      for (const one of [identity, ...descendants.map((descendant) => descendant.identity)]) {
        const used = usage.get(one.pid)
        // A script works through short commands that no look ever meets: their time is with the shell that waited for
        // them.
        cpu.set(`${one.pid} ${one.startTime}`, (used?.cpuTimeMs ?? 0) + (used?.waitedCpuTimeMs ?? 0))
      }
      const facts = this.#facts(task, worker, row, descendants, cpu)
      const { verdict, stuck } = judgeRunningTask(facts)
      this.#hooks.judged(task, worker, verdict, stuck)
    }
  }

  #facts(
    task: Task,
    worker: Worker,
    row: ProcessRow,
    descendants: readonly ProcessRow[],
    cpu: Map<string, number>,
  ): RunningTaskFacts {
    const now = performance.now()
    const bytes = worker.capture?.bytes ?? 0
    let look = this.#looks.get(task)
    if (look?.attempt !== task.attempt) {
      look = {
        attempt: task.attempt,
        firstAt: now,
        firstBytes: bytes,
        lastAt: now,
        movedAt: now,
        bytes,
        cpuSinceMove: 0,
        cpuTotal: 0,
        cpu,
        state: row.state,
        stateSeenTimes: 0,
      }
      this.#looks.set(task, look)
    }
    const used = cpuBetween(look.cpu, cpu)
    look.cpuTotal += used
    look.cpuSinceMove += used
    const idleMs = Math.max(idleCpuLeastMs, (now - look.movedAt) * idleCpuShare)
    const slept = now - look.lastAt > Math.max(this.#stuckAfterMs / 4, this.#lookEveryMs) * sleptFactor
    // Runnable: on a busy machine it may get no CPU time for long, but it does not wait for anything else. Enough not
    // to be flagged; to lose the flag, it must have used some.
    const wantsCpu = !task.stuck && [row, ...descendants].some(({ state }) => state === 'running')
    if (look.cpuSinceMove > idleMs || bytes !== look.bytes || slept || wantsCpu) {
      look.movedAt = now
      look.cpuSinceMove = 0
    }
    look.cpu = cpu
    look.bytes = bytes
    look.lastAt = now
    look.stateSeenTimes = look.state === row.state ? look.stateSeenTimes + 1 : 1
    look.state = row.state
    return {
      label: task.label,
      worker: worker.name,
      pid: worker.pid,
      ageMs: task.elapsedMs,
      stuckAfterMs: this.#stuckAfterMs,
      quietMs: now - look.movedAt,
      cpuMs: look.cpuTotal,
      watchedMs: now - look.firstAt,
      outputBytes: bytes - look.firstBytes,
      state: row.state,
      stateSeenTimes: look.stateSeenTimes,
      descendants: descendants.map((descendant) => ({
        pid: descendant.identity.pid,
        command: descendant.command,
        state: descendant.state,
      })),
      survivedTerminate: worker.survivedTerminate,
    }
  }
}

/**
 * CPU time used since the last look, also by processes that have started since; what has ended since cannot be seen.
 */
function cpuBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  let used = 0
  for (const [key, ms] of after) used += Math.max(0, ms - (before.get(key) ?? 0))
  return used
}
