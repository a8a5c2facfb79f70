import { lostTask } from '../../diagnosis'
import type { Verdict } from '../../diagnosis'
import { CommandFailedError, TaskCancelledError, TaskTimeoutError, WorkerLostError } from '../terms/errors'
import type { Task } from '../tasks/task'
import type { CommandResult, TaskState } from '../terms/types'
import type { Worker } from '../workers/worker'

/** What becomes of a task, and what its AsyncResult says. */
export type AttemptOutcome =
  | { readonly kind: 'done'; readonly value: unknown }
  | {
      readonly kind: 'ended'
      readonly state: Exclude<TaskState, 'queued' | 'running' | 'done'>
      readonly error: unknown
      readonly verdict: Verdict | null
    }
  /** Lost, but it runs once more. */
  | { readonly kind: 'again'; readonly error: unknown; readonly verdict: Verdict }

export interface OutcomeRules {
  readonly retries: number
  /** False once the pool is being terminated: nothing runs again then. */
  readonly mayRunAgain: boolean
}

/** Of a task whose worker ended with it in flight; for commands, which end with their task, only if that is a loss. */
export function outcomeOfLostTask(
  task: Task,
  worker: Worker,
  rules: OutcomeRules,
  result?: CommandResult,
): AttemptOutcome {
  const { intent } = task
  if (intent?.kind === 'cancel') {
    return {
      kind: 'ended',
      state: 'cancelled',
      error: new TaskCancelledError(task.id, task.label, intent.reason),
      verdict: task.verdict,
    }
  }
  if (intent?.kind === 'timeout') {
    const error = new TaskTimeoutError(task.id, task.label, intent.limitMs, worker.name, worker.pid)
    return { kind: 'ended', state: 'timedOut', error, verdict: task.verdict }
  }
  const verdict = lostTask({
    label: task.label,
    worker: worker.name,
    pid: worker.pid,
    exitCode: worker.exitCode,
    signal: worker.signal,
    elapsedMs: task.elapsedMs,
    endedByUs: worker.endRequest,
    uncaught: worker.uncaught === undefined ? null : messageOf(worker.uncaught),
  })
  const error = new WorkerLostError({
    pid: worker.pid,
    worker: worker.name,
    exitCode: worker.exitCode,
    signal: worker.signal,
    taskId: task.id,
    label: task.label,
    because: because(worker),
    result,
    cause: worker.uncaught,
  })
  const again = rules.mayRunAgain && (task.attempt <= rules.retries || (intent?.kind === 'stuck' && intent.again))
  return again ? { kind: 'again', error, verdict } : { kind: 'ended', state: 'lost', error, verdict }
}

/** Of the task of a command that has ended. */
export function outcomeOfCommand(
  task: Task,
  worker: Worker,
  rules: OutcomeRules,
  result: CommandResult,
): AttemptOutcome {
  // A signal ended the process, or we did: whatever it was doing is not done. An exit code of its own is its answer.
  const ours = task.intent !== null || worker.endRequest !== null
  if (result.exitCode === 0 && task.intent === null) return { kind: 'done', value: result }
  if (result.signal !== null || ours) return outcomeOfLostTask(task, worker, rules, result)
  return { kind: 'ended', state: 'failed', error: new CommandFailedError(task.id, task.label, result), verdict: null }
}

/** One line about anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`
  if (typeof thrown === 'string') return thrown
  try {
    return `threw ${(JSON.stringify(thrown) as string | undefined) ?? String(thrown)}`
  } catch {
    return `threw ${typeof thrown}`
  }
}

function because(worker: Worker): string | undefined {
  if (worker.endRequest !== null)
    return `ended by us, ${worker.endRequest.reason} (asked by ${worker.endRequest.askedBy})`
  if (worker.uncaught !== undefined) return `uncaught ${messageOf(worker.uncaught)}`
  if (worker.signal !== null) return `${worker.signal} was not sent by us`
  return undefined
}
