import { serialize } from 'node:v8'
import { findUncloneable, findUnjsonable, gatheredBytes, isJson } from '../../runtimes'
import type { UncloneablePart } from '../../runtimes'

/**
 * What a task is called with: plain arguments, or serialized ones (then nobody can change them while the task waits);
 * null when they cannot be sent.
 */
export type TaskArguments = readonly unknown[] | Buffer | null

/** So many plain values are kept as they are: a buffer for each of a million small tasks would take more memory. */
const mostKept = 32

/** What a task was to be called with cannot be sent. */
export class UnsendableError extends Error {
  override readonly name = 'UnsendableError'
  constructor(readonly part: UncloneablePart) {
    super(`${part.path}: ${part.detail}`)
  }
}

/** True for a call with one large Buffer, whose bytes travel as they are. */
export function isBytes(args: readonly unknown[]): args is readonly [Buffer] {
  return args.length === 1 && Buffer.isBuffer(args[0]) && args[0].length > gatheredBytes
}

/**
 * Arguments as they travel, fixed at once: what cannot be sent says so now, and what the caller changes later does not
 * matter. Plain values need neither. `root` names the list in messages. @throws UnsendableError
 */
export function packArguments(
  args: readonly unknown[],
  values: 'clone' | 'json',
  root: string,
): readonly unknown[] | Buffer {
  if (args.length <= mostKept && args.every(isJson)) return args
  if (values === 'json') {
    const part = findUnjsonable(args, root)
    if (part) throw new UnsendableError(part)
    return Buffer.from(JSON.stringify(args), 'utf8')
  }
  try {
    return serialize(args)
  } catch (error) {
    throw new UnsendableError(
      findUncloneable(args, root) ?? { path: root, detail: error instanceof Error ? error.message : String(error) },
    )
  }
}
