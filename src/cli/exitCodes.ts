/** Exit codes of every command. */
export const exitCodes = {
  /** It did what was asked; for `pool`, every task is done; for `why`, nothing is stuck. */
  ok: 0,
  /**
   * It could not, or not all of it: tasks not done, issues of a shutdown, an unknown pool, a bad definition, no answer.
   */
  failure: 1,
  /** The command line itself was wrong: an unknown command, option or value. */
  usage: 2,
  /** `run`: the program is there and cannot be executed, as shells have it. */
  notExecutable: 126,
  /** `run`: there is no such program. */
  notFound: 127,
} as const

/** One of {@link exitCodes}, or that of the program that `run` ran. */
export type ExitCode = number

/**
 * How the command ends: with a code, or by the signal that ended the program it ran (its shell then knows as much as
 * without us).
 */
export type Exit = ExitCode | NodeJS.Signals
