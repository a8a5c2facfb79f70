import { failureReason, type TaskFailure } from '../protocol'
import { exitText } from './exits'
import { taskStateText } from './states'

/** The state of a task that is not done, in words; one that a newer host reports as it is. */
export function failureStateText(state: string): string {
  switch (state) {
    case 'failed':
    case 'lost':
    case 'timedOut':
    case 'cancelled':
      return taskStateText(state)
    default:
      return state
  }
}

/** Why a task failed, in one line, without its exit, which has a column of its own. */
export function reasonText(failure: TaskFailure): string {
  const reason = failureReason(failure)
  const exit = `${exitText(failure) ?? ''}: `
  return reason.startsWith(exit) ? reason.slice(exit.length) : reason
}

/** Why a task failed, in one line that names its exit once. */
export function reasonWithExit(failure: TaskFailure): string {
  const exit = exitText(failure)
  const reason = failureReason(failure)
  if (exit === undefined || reason.includes(exit)) return reason
  return reason === '' ? exit : `${exit}: ${reason}`
}
