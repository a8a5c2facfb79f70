import { interpreterKind, launchedCommand } from '../../../processes'

/** Its inspector is wanted from the start, and what that says in stderr as well. */
const inspects = /^--inspect(-brk|-wait)?(=|$)/
/** A Node that may only read what it was allowed to could not even load the observer, and would not start. */
const restricts = /^--(experimental-)?permission$/

/**
 * `NODE_OPTIONS` that load the observer into every Node process of a program, before what the user has there; nothing
 * for a program that is plainly a Python, or one that would be another with it.
 */
export function nodeOptions(
  observer: string,
  own: string | undefined,
  argv: readonly string[],
): { NODE_OPTIONS?: string } {
  const isPython = interpreterKind(launchedCommand(argv)[0] ?? '') === 'python'
  if (isPython || own?.includes(observer) === true) return {}
  const options = [...argv, ...(own ?? '').split(/\s+/)]
  if (options.some((option) => restricts.test(option))) return {}
  // In quotes, a backslash stands for the character behind it (Node src/node_options.cc). Here it keeps the program
  // from taking this for `--inspect`: cluster looks for that very text in NODE_OPTIONS and would number the ports of
  // its workers.
  const silent = options.some((option) => inspects.test(option)) ? [] : ['"-\\-inspect-publish-uid=http"']
  return {
    NODE_OPTIONS: [`--require ${quoted(observer)}`, ...silent, ...(own === undefined || own === '' ? [] : [own])].join(
      ' ',
    ),
  }
}

function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
