import { HostRequestError } from '../../discovery'
import type { LaunchErrorData } from '../../protocol'
import { CliError, DefinitionError } from '../errors'

/** The key of a problem with the label itself: there is no such task, or no tasks.json at all. */
const labelKey = 'label'

/**
 * A definition that cannot run, as a terminal shows it: every problem with the key it is at and what to write instead.
 */
export function launchError(label: string, error: unknown): unknown {
  if (!(error instanceof HostRequestError) || !isLaunchErrorData(error.data)) return error
  const { problems } = error.data
  const [first] = problems
  if (first === undefined) return error
  if (first.key === labelKey && problems.length === 1) return new CliError(first.message, [], { cause: error })
  return new DefinitionError(label, problems, { cause: error })
}

function isLaunchErrorData(data: unknown): data is LaunchErrorData {
  return typeof data === 'object' && data !== null && 'problems' in data && Array.isArray(data.problems)
}
