import type { LaunchErrorData } from '../../protocol'
import { keyOf, type DefinitionProblem } from '../../protocol/schemas'

/** A pool could not be launched; nothing was started. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError'
  readonly data: LaunchErrorData

  constructor(
    readonly subject: string,
    readonly problems: readonly DefinitionProblem[],
  ) {
    super(`${subject} cannot run:\n${problems.map((problem) => `  ${problem.message}`).join('\n')}`)
    this.data = { problems: problems.map((problem) => ({ key: keyOf(problem.path), message: problem.message })) }
  }
}
