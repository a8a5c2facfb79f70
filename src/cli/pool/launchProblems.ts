import { HostRequestError, type LaunchErrorData } from '../../protocol'
import { DefinitionError } from '../errors'

/** A definition that cannot run, as a terminal shows it: every problem with the key it is at and what to write instead. */
export function launchError(label: string, error: unknown): unknown {
  if (!(error instanceof HostRequestError) || !isLaunchErrorData(error.data)) return error
  return error.data.problems.length === 0 ? error : new DefinitionError(label, error.data.problems, { cause: error })
}

function isLaunchErrorData(data: unknown): data is LaunchErrorData {
  return typeof data === 'object' && data !== null && 'problems' in data && Array.isArray(data.problems)
}
