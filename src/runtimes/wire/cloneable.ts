import { serialize } from 'node:v8'

/** A place inside a value, and why what is there cannot be sent. */
export interface UncloneablePart {
  /** `result.rows[3].save`. */
  readonly path: string
  readonly detail: string
}

/** The search ends here: whoever returns a larger graph is told the path so far. */
const mostSteps = 20_000

/**
 * Innermost place in `value` that the structured clone refuses; `undefined` when every part can be cloned. Called after
 * a clone failed: its own error names the kind of value, not the place.
 */
export function findUncloneable(value: unknown, root: string): UncloneablePart | undefined {
  const seen = new Set<object>()
  let steps = 0
  const search = (part: unknown, path: string): UncloneablePart | undefined => {
    const detail = refusal(part)
    if (detail === undefined) return undefined
    if (
      typeof part !== 'object' ||
      part === null ||
      part instanceof Unreadable ||
      seen.has(part) ||
      ++steps > mostSteps
    )
      return { path, detail }
    seen.add(part)
    try {
      for (const [inner, name] of partsOf(part)) {
        const found = search(inner, path + name)
        if (found) return found
      }
    } catch {
      // A proxy, or a class of the program, that cannot be inspected: this is the innermost place that can be named.
    }
    return { path, detail }
  }
  return search(value, root)
}

/** True for what needs no look: it always arrives as it is. */
export function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
    case 'number':
    case 'bigint':
      return true
    case 'object':
      return value === null
    case 'function':
    case 'symbol':
      return false
  }
}

/** True for values that JSON carries unchanged, which is faster than the structured clone. */
export function isJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      return false
  }
}

/** What stands for a property whose getter threw. */
class Unreadable {
  constructor(readonly detail: string) {}
}

/** A property, or what its getter threw: that may be anything, as it is the user's code. */
export function readProperty(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch (thrown) {
    return new Unreadable(`reading it threw ${inWords(thrown)}`)
  }
}

/** Why a value that was read by {@link readProperty} could not be read; undefined when it could. */
export function unreadable(value: unknown): string | undefined {
  return value instanceof Unreadable ? value.detail : undefined
}

/** What was thrown, on one line: `RangeError: out of range`. Never throws itself. */
export function inWords(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  } catch {
    return `something that cannot be read (${typeof thrown})`
  }
}

function refusal(value: unknown): string | undefined {
  if (isPlain(value)) return undefined
  if (value instanceof Unreadable) return value.detail
  try {
    serialize(value)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : inWords(error)
  }
}

function* partsOf(value: object): Generator<[unknown, string]> {
  if (Array.isArray(value)) {
    for (const [index, inner] of value.entries()) yield [inner, `[${index}]`]
  } else if (value instanceof Map) {
    for (const [key, inner] of value) {
      yield [key, `.keys() ${nameOf(key)}`]
      yield [inner, `.get(${nameOf(key)})`]
    }
  } else if (value instanceof Set) {
    for (const inner of value) yield [inner, `.has(${nameOf(inner)})`]
  } else {
    for (const key of Object.keys(value))
      yield [readProperty(value, key), /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`]
  }
}

function nameOf(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' && key !== null ? '…' : String(key)
}
