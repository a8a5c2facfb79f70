import { types } from 'node:util'
import { serialize } from 'node:v8'

/**
 * A thrown value in a form that survives the structured clone, which keeps an Error's message and stack but drops its
 * name, its class and its own properties (`code`, `status`), for which callers test.
 */
export type PackedThrown =
  | { readonly kind: 'value'; readonly value: unknown }
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      readonly properties: Readonly<Record<string, unknown>>
      readonly cause?: PackedThrown
      readonly errors?: readonly PackedThrown[]
    }

/** Chains of causes are finite in practice; a cyclic one must not hang a worker. */
const maxCauseDepth = 8

/** Never throws, whatever the value is. */
export function packThrown(thrown: unknown, depth = 0): PackedThrown {
  try {
    if (!isError(thrown)) {
      return isCloneable(thrown)
        ? { kind: 'value', value: thrown }
        : {
            kind: 'error',
            name: 'Error',
            message: `the task threw a value that cannot be cloned: ${describe(thrown)}`,
            stack: undefined,
            properties: {},
          }
    }
    // A program may have assigned anything to these two.
    const { name, message }: { name: unknown; message: unknown } = thrown
    const properties: Record<string, unknown> = {}
    for (const key of Object.keys(thrown)) {
      if (key === 'cause' || key === 'errors' || key === 'name' || key === 'message' || key === 'stack') continue
      const value = (thrown as unknown as Record<string, unknown>)[key]
      if (isCloneable(value)) properties[key] = value
    }
    return {
      kind: 'error',
      name: String(name),
      message: String(message),
      stack: typeof thrown.stack === 'string' ? thrown.stack : undefined,
      properties,
      ...(thrown.cause !== undefined && depth < maxCauseDepth ? { cause: packThrown(thrown.cause, depth + 1) } : {}),
      ...(thrown instanceof AggregateError && depth < maxCauseDepth
        ? { errors: thrown.errors.map((inner) => packThrown(inner, depth + 1)) }
        : {}),
    }
  } catch (failure) {
    // A getter or a proxy that throws when it is read.
    return {
      kind: 'error',
      name: 'Error',
      message: `the task threw something that cannot be read: ${describe(failure)}`,
      stack: undefined,
      properties: {},
    }
  }
}

/**
 * The worker's stack, with file and line, as the `cause` of the error that a task threw (CPython's RemoteTraceback). If
 * that error had a cause, it becomes the cause of this one.
 */
export class RemoteTraceback extends Error {
  override readonly name = 'RemoteTraceback'
  constructor(
    stack: string,
    readonly worker: string,
    readonly pid: number,
    cause: unknown,
  ) {
    super(`in ${worker} (pid ${pid})`, cause === undefined ? undefined : { cause })
    this.stack = `RemoteTraceback: ${this.message}\n${stack}`
  }
}

/** What a task threw, as its caller gets it. */
export function unpackRemote(packed: PackedThrown, worker: string, pid: number): unknown {
  const thrown = unpackThrown(packed)
  if (packed.kind === 'value' || !(thrown instanceof Error)) return thrown
  const cause = new RemoteTraceback(packed.stack ?? `${packed.name}: ${packed.message}`, worker, pid, thrown.cause)
  Object.defineProperty(thrown, 'cause', { value: cause, configurable: true, writable: true })
  return thrown
}

const builtins = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }

/**
 * The error as its task threw it, with the worker's stack; anything that is not an error comes back as it was thrown.
 */
export function unpackThrown(packed: PackedThrown): unknown {
  if (packed.kind === 'value') return packed.value
  const error = packed.errors
    ? new AggregateError(packed.errors.map(unpackThrown), packed.message)
    : new (Object.hasOwn(builtins, packed.name) ? builtins[packed.name as keyof typeof builtins] : Error)(
        packed.message,
      )
  if (error.name !== packed.name)
    Object.defineProperty(error, 'name', { value: packed.name, configurable: true, writable: true })
  Object.defineProperty(error, 'stack', {
    value: packed.stack ?? `${packed.name}: ${packed.message}`,
    configurable: true,
    writable: true,
  })
  if (packed.cause)
    Object.defineProperty(error, 'cause', { value: unpackThrown(packed.cause), configurable: true, writable: true })
  // Defined, not assigned: one of them may be called `__proto__`.
  for (const [key, value] of Object.entries(packed.properties))
    Object.defineProperty(error, key, { value, configurable: true, enumerable: true, writable: true })
  return error
}

function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value)
}

function isCloneable(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol'))
    return true
  try {
    serialize(value)
    return true
  } catch {
    return false
  }
}

function describe(value: unknown): string {
  try {
    return String(value).slice(0, 200)
  } catch {
    return typeof value
  }
}
