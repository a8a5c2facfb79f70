import { inWords, readProperty, unreadable } from './cloneable'
import type { UncloneablePart } from './cloneable'

/**
 * Place in `value` of something that JSON cannot hold: functions, symbols, bigints, NaN and the infinities, Maps, Sets,
 * buffers, and objects that contain themselves; undefined when there is none. Values that JSON.stringify would silently
 * drop or change are refused, except `undefined` (null in lists, left out of objects) and objects with a `toJSON`
 * (dates), whose result is inspected instead. Getters and `toJSON` run, as they do in JSON.stringify; a value is
 * refused when they throw.
 */
export function findUnjsonable(value: unknown, root: string): UncloneablePart | undefined {
  return search(value, root, new Set())
}

function search(value: unknown, path: string, above: Set<object>): UncloneablePart | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : { path, detail: `${value} has no form in JSON` }
    case 'bigint':
      return { path, detail: `the bigint ${value}n has no form in JSON: pass a number or a string` }
    case 'function':
      return { path, detail: `function ${value.name === '' ? '(anonymous)' : value.name} has no form in JSON` }
    case 'symbol':
      return { path, detail: `${value.toString()} has no form in JSON` }
    case 'object':
      return value === null ? undefined : searchObject(value, path, above)
  }
}

function searchObject(value: object, path: string, above: Set<object>): UncloneablePart | undefined {
  const detail = unreadable(value)
  if (detail !== undefined) return { path, detail }
  if (above.has(value)) return { path, detail: 'it contains itself, which JSON cannot say' }
  let json: unknown
  try {
    json = toJson(value)
  } catch (thrown) {
    return { path, detail: `its toJSON threw ${inWords(thrown)}` }
  }
  return typeof json === 'object' && json !== null ? searchParts(json, path, above) : search(json, path, above)
}

/** What JSON.stringify takes in place of a value. */
function toJson(value: object): unknown {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' && !Buffer.isBuffer(value)
    ? (toJSON as (this: object) => unknown).call(value)
    : value
}

function searchParts(value: object, path: string, above: Set<object>): UncloneablePart | undefined {
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return { path, detail: `a ${value.constructor.name} has no form in JSON: pass a list, an object or a string` }
  }
  above.add(value)
  const parts: Iterable<[string, unknown]> = Array.isArray(value)
    ? (value as unknown[]).map((inner, index): [string, unknown] => [`[${index}]`, inner])
    : Object.keys(value).map((key): [string, unknown] => [
        /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
        readProperty(value, key),
      ])
  for (const [name, inner] of parts) {
    // Has been called already; as a function it would be refused.
    if (name === '.toJSON' && typeof inner === 'function') continue
    const found = search(inner, path + name, above)
    if (found) return found
  }
  above.delete(value)
  return undefined
}
