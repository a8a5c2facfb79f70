import { unserializableResult } from '../../diagnosis'
import type { Verdict } from '../../diagnosis'
import { UnsendableError } from '../terms/arguments'
import { CommandWorker } from '../workers/commandWorker'
import { SerializationError, TaskCancelledError } from '../terms/errors'
import { outcomeOfCommand, outcomeOfLostTask, messageOf } from './attemptOutcome'
import type { AttemptOutcome, OutcomeRules } from './attemptOutcome'
import type { PoolSettings } from '../terms/options'
import type { StuckDetector } from './stuckDetector'
import { describeTask, taskDone, taskFailed } from '../tasks/task'
import type { Task } from '../tasks/task'
import type { TaskStore } from '../tasks/taskStore'
import type { PoolEvents, PoolState, ShutdownOptions, TaskEndDetail } from '../terms/types'
import type { TaskOutcome, Worker } from '../workers/worker'

/** Arguments of an event are only made when somebody listens. */
export type Tell = <E extends keyof PoolEvents>(event: E, makeArguments: () => PoolEvents[E]) => void

/** A kill that was due could not be carried out: until it is tried again. */
const retryMs = 1000
/** While a verdict lasts its durations grow: listeners hear of that now and then, not with every look. */
const verdictRefreshMs = 5000

/** What the life of a task needs from its pool. */
export interface TaskOutcomesContext {
  readonly settings: PoolSettings
  readonly store: TaskStore
  readonly watch: Pick<StuckDetector, 'taskStarted' | 'taskEnded'>
  readonly tell: Tell
  state(): PoolState
  /**
   * False when the task has not begun after all (then it waits again), or is answered: its worker must not be ended for
   * it.
   */
  runs(task: Task, worker: Worker): boolean
  /** Ends the worker of a task through the shutdown core; `failed` is called when that could not even be tried. */
  endWorker(worker: Worker, options: ShutdownOptions, failed: () => void): void
  endPool(options: ShutdownOptions): void
  /** A run has ended, well or not, that took so long. */
  ran(well: boolean, ms: number): void
  /** False when its kind of worker cannot be told. */
  softTimeout(worker: Worker, task: Task): boolean
  /** Something waits again. */
  readonly fill: () => void
  /** A task has ended: perhaps it was the last. */
  readonly taskEnded: () => void
}

/** What happens to tasks from the start of their run to their end, and what listeners and callers hear of it. */
export class TaskOutcomes {
  readonly #pool: TaskOutcomesContext

  constructor(pool: TaskOutcomesContext) {
    this.#pool = pool
  }

  started(task: Task, worker: Worker): void {
    const { store, watch, settings, tell } = this.#pool
    store.started(task)
    if (settings.softTimeoutMs !== undefined)
      this.#after(task, settings.softTimeoutMs, () => {
        this.#softTimedOut(task, worker)
      })
    else if (settings.timeoutMs !== undefined)
      this.#after(task, settings.timeoutMs, () => {
        this.#timedOut(task, worker)
      })
    watch.taskStarted()
    tell('taskStart', () => [describeTask(task), worker.describe()])
  }

  /** It was thought to run, but its worker had not begun it: it waits again. */
  notBegun(task: Task): void {
    task.clearTimer()
    this.#pool.watch.taskEnded(task)
    this.#pool.store.notBegun(task)
  }

  /** Its worker answered. */
  answered(task: Task, worker: Worker, outcome: TaskOutcome): void {
    task.fn?.ended(outcome.micros)
    this.#pool.ran(outcome.kind === 'returned', outcome.micros / 1000)
    if (outcome.kind === 'returned') {
      this.#done(task, worker, outcome.value)
      return
    }
    const { error } = outcome
    if (error instanceof SerializationError)
      task.incident.verdict = unserializableResult({ label: task.label, detail: error.detail })
    this.#end(task, worker, 'failed', error)
  }

  /** Its worker is gone. Resolves once the task has its outcome; undefined when that is now. */
  workerGone(task: Task, worker: Worker): Promise<void> | undefined {
    task.clearTimer()
    if (!(worker instanceof CommandWorker)) {
      this.#meet(task, worker, outcomeOfLostTask(task, worker, this.#rules()))
      return undefined
    }
    const finish = (): void => {
      this.#meet(task, worker, outcomeOfCommand(task, worker, this.#rules(), worker.result()))
    }
    // Whoever gets the result may read its files: they must be complete. The place is free for the next command
    // meanwhile.
    if (worker.capture?.printed === true) return worker.capture.end().then(finish)
    finish()
    return undefined
  }

  /** It could not be given to a worker. */
  notStarted(task: Task, error: unknown): void {
    this.#end(task, null, 'failed', error)
  }

  uncallable(task: Task, error: unknown): void {
    const { path, detail } =
      error instanceof UnsendableError ? error.part : { path: 'arguments', detail: messageOf(error) }
    this.notStarted(task, new SerializationError(task.id, task.label, 'argument', path, detail))
  }

  /** It never runs. */
  dropped(task: Task, error: unknown): void {
    this.#end(task, null, 'cancelled', error)
  }

  cancelWaiting(task: Task, reason: string): void {
    this.#pool.store.takeOut(task)
    this.dropped(task, new TaskCancelledError(task.id, task.label, reason))
  }

  /** The stuck watch has looked at it. */
  judged(task: Task, worker: Worker, verdict: Verdict | null, stuck: boolean): void {
    const { store, tell } = this.#pool
    const was = task.stuck
    const changed = was !== stuck || task.verdict?.code !== verdict?.code
    if (verdict !== null || task.verdict !== null) task.incident.verdict = verdict
    store.setStuck(task, stuck)
    if (stuck && !was) tell('taskStuck', () => [describeTask(task), worker.describe()])
    if (!stuck && was) tell('taskUnstuck', () => [describeTask(task), worker.describe()])
    const now = performance.now()
    if (changed || (verdict !== null && now - task.incident.verdictToldAt >= verdictRefreshMs)) {
      task.incident.verdictToldAt = now
      tell('workerChange', () => [worker.describe()])
    }
    if (stuck && !was) this.#actOnStuck(task, worker)
  }

  #actOnStuck(task: Task, worker: Worker): void {
    const { onStuck, retries } = this.#pool.settings
    if (onStuck === 'flag' || worker.endRequest !== null || task.intent !== null || !this.#pool.runs(task, worker))
      return
    // Choosing 'retry' is consent to one more run, also without `retries`; a task that gets stuck every time must not
    // run for ever.
    task.incident.intent = { kind: 'stuck', again: onStuck === 'retry' && task.attempt <= Math.max(1, retries) }
    const reason = `${task.label} is stuck (${task.verdict?.code ?? 'no-progress'}; onStuck: ${onStuck})`
    this.#pool.endWorker(worker, { kill: onStuck !== 'terminate', askedBy: 'policy', reason }, () => {
      task.incident.intent = null
    })
  }

  #after(task: Task, delayMs: number, then: () => void): void {
    task.incident.timer = setTimeout(then, delayMs)
    task.incident.timer.unref()
  }

  #softTimedOut(task: Task, worker: Worker): void {
    if (task.state !== 'running' || worker.task !== task || task.intent !== null || !this.#pool.runs(task, worker))
      return
    const { softTimeoutMs = 0, timeoutMs } = this.#pool.settings
    if (!this.#pool.softTimeout(worker, task)) {
      // A command hears nothing but signals.
      const reason = `${task.label} ran longer than ${softTimeoutMs} ms (softTimeoutMs)`
      task.incident.intent = { kind: 'timeout', limitMs: softTimeoutMs }
      this.#pool.endWorker(worker, { kill: false, useSigkill: false, askedBy: 'timeout', reason }, () => {
        task.incident.intent = null
      })
    }
    this.#pool.tell('taskSoftTimeout', () => [describeTask(task), worker.describe()])
    if (timeoutMs !== undefined)
      this.#after(task, timeoutMs - softTimeoutMs, () => {
        this.#timedOut(task, worker)
      })
  }

  #timedOut(task: Task, worker: Worker): void {
    const { intent } = task
    if (
      task.state !== 'running' ||
      worker.task !== task ||
      (intent !== null && intent.kind !== 'timeout') ||
      !this.#pool.runs(task, worker)
    )
      return
    const { timeoutMs = 0 } = this.#pool.settings
    task.incident.intent = { kind: 'timeout', limitMs: timeoutMs }
    const reason = `${task.label} ran longer than ${timeoutMs} ms`
    this.#pool.endWorker(worker, { kill: true, askedBy: 'timeout', reason }, () => {
      task.incident.intent = null
      this.#after(task, retryMs, () => {
        this.#timedOut(task, worker)
      })
    })
  }

  #rules(): OutcomeRules {
    const { retries } = this.#pool.settings
    const state = this.#pool.state()
    return { retries, mayRunAgain: state === 'run' || state === 'close' }
  }

  #meet(task: Task, worker: Worker, outcome: AttemptOutcome): void {
    const { elapsedMs } = task
    this.#pool.ran(outcome.kind === 'done', elapsedMs)
    // A command has ended by itself when it gave an exit code, whichever.
    if (worker instanceof CommandWorker && worker.signal === null) task.fn?.ended(Math.round(elapsedMs * 1000))
    if (outcome.kind === 'done') {
      worker.tasksDone++
      this.#done(task, worker, outcome.value)
      return
    }
    if (outcome.verdict !== null || task.verdict !== null) task.incident.verdict = outcome.verdict
    if (outcome.kind === 'again' || outcome.state === 'lost') {
      this.#pool.tell('taskLost', () => [{ ...describeTask(task), state: 'lost' }, worker.describe()])
    }
    if (outcome.kind === 'again') this.#again(task, worker, outcome.error)
    else this.#end(task, worker, outcome.state, outcome.error)
  }

  #again(task: Task, worker: Worker, error: unknown): void {
    const { store, watch, tell, fill } = this.#pool
    const detail = detailOf(task, worker, error)
    watch.taskEnded(task)
    store.requeue(task)
    tell('taskRetry', () => [describeTask(task), detail])
    fill()
  }

  #done(task: Task, worker: Worker, value: unknown): void {
    task.clearVerdict()
    this.#close(task, 'done', () => detailOf(task, worker, null))
    task.owner?.[taskDone](task, value)
    // Whoever keeps the result must not keep what it was made of.
    task.args = null
  }

  #end(task: Task, worker: Worker | null, state: 'failed' | 'lost' | 'timedOut' | 'cancelled', error: unknown): void {
    this.#close(task, state, () => detailOf(task, worker, error))
    task.owner?.[taskFailed](task, error)
    const poolState = this.#pool.state()
    if (
      this.#pool.settings.onFailure === 'stop' &&
      state !== 'cancelled' &&
      (poolState === 'run' || poolState === 'close')
    ) {
      const what = state === 'timedOut' ? 'timed out' : state === 'lost' ? 'was lost' : 'failed'
      this.#pool.endPool({ kill: false, askedBy: 'policy', reason: `${task.label} ${what} (onFailure: stop)` })
    }
  }

  #close(task: Task, state: Parameters<TaskStore['end']>[1], makeDetail: () => TaskEndDetail): void {
    const { store, watch, tell, taskEnded } = this.#pool
    task.clearTimer()
    watch.taskEnded(task)
    let made: TaskEndDetail | undefined
    const detail = (): TaskEndDetail => (made ??= makeDetail())
    store.end(task, state, detail)
    tell('taskEnd', () => [describeTask(task), detail()])
    taskEnded()
  }
}

function detailOf(task: Task, worker: Worker | null, error: unknown): TaskEndDetail {
  const failed = worker?.capture?.failed
  const outputError = failed === undefined ? null : messageOf(failed)
  return {
    message:
      error === null
        ? null
        : outputError === null
          ? messageOf(error)
          : `${messageOf(error)} (its output could not be kept: ${outputError})`,
    error,
    worker: worker?.name ?? null,
    pid: worker?.pid ?? null,
    exitCode: worker?.exitCode ?? null,
    signal: worker?.signal ?? null,
    elapsedMs: worker ? Math.round(task.elapsedMs) : 0,
    stdoutPath: worker?.capture?.stdout.path ?? null,
    stderrPath: worker?.capture?.stderr.path ?? null,
    outputError,
  }
}
