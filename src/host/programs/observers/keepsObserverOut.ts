import { launchedCommand, pythonCommand } from '../../../processes'

/** Options of the interpreter that keep the observer out, and what they do to it. */
const reasons: readonly (readonly [option: string, why: string])[] = [
  ['-I', 'does not read PYTHONPATH, by which the observer enters'],
  ['-E', 'does not read PYTHONPATH, by which the observer enters'],
  ['-S', 'does not run sitecustomize, by which the observer enters'],
]
/** Why no observer can be inside of a Python that is started like this, and what to do; undefined where one can. */
export function keepsObserverOut(argv: readonly string[]): string | undefined {
  const options = new Set(pythonCommand(launchedCommand(argv))?.options.map(({ name }) => name))
  const found = reasons.filter(([option]) => options.has(option))
  const [first] = found
  if (first === undefined) return undefined
  const [option, why] = first
  return `started with ${option}, this Python ${why}; start it without ` + found.map(([each]) => each).join(' and ')
}
