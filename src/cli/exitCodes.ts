/** Exit codes of every command. */
export const exitCodes = {
  /** It did what was asked; for `pool`, every task is done. */
  ok: 0,
  /** It could not, or not all of it: tasks not done, issues of a shutdown, an unknown pool, a bad definition, no answer. */
  failure: 1,
  /** The command line itself was wrong: an unknown command, option or value. */
  usage: 2,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
