import type { GetFailures } from '../../protocol'
// Not through the room's index: that would read the messages' schemas at activation.
import { failureReason } from '../../protocol/failureReason'
import { exitText } from './exits'

/** How its process ended, empty when that is not known. */
export function exitOf({ exitCode, signal }: Pick<GetFailures.Failure, 'exitCode' | 'signal'>): string {
  return exitCode === null && signal === null ? '' : exitText(exitCode, signal)
}

/** Why it failed, without what the other columns say. */
export function reasonOf(failure: GetFailures.Failure): string {
  const reason = failureReason(failure)
  const exit = `${exitOf(failure)}: `
  return reason.startsWith(exit) ? reason.slice(exit.length) : reason
}
