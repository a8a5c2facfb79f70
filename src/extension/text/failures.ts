import { failureReason, type TaskFailure } from '../../protocol'
import { exitText } from './exits'

/** How its process ended, empty when that is not known. */
export function exitOf({ exitCode, signal }: Pick<TaskFailure, 'exitCode' | 'signal'>): string {
  return exitCode === null && signal === null ? '' : exitText(exitCode, signal)
}

/** Why it failed, without what the other columns say. */
export function reasonOf(failure: TaskFailure): string {
  const reason = failureReason(failure)
  const exit = `${exitOf(failure)}: `
  return reason.startsWith(exit) ? reason.slice(exit.length) : reason
}
