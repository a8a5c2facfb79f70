import { HostRequestError, type LaunchErrorData } from '../../protocol'
import { CliError } from '../errors'

/** A definition that cannot run, as a terminal shows it: every problem with the key it is at and what to write instead. */
export function launchError(label: string, error: unknown): unknown {
  if (!(error instanceof HostRequestError) || !isLaunchErrorData(error.data)) return error
  const { problems } = error.data
  if (problems.length === 0) return error
  return new CliError(`pool "${label}" cannot run:`, problems.map(({ key, message }) => (key === '' ? message : `${key}: ${message}`)), undefined, { cause: error })
}

function isLaunchErrorData(data: unknown): data is LaunchErrorData {
  return typeof data === 'object' && data !== null && 'problems' in data && Array.isArray(data.problems)
}
