import type { TaskFunction } from './moduleExports'

/** The value of one call, or a promise of it. */
export function runCall(fn: TaskFunction, args: readonly unknown[]): unknown {
  return fn(...args)
}

/**
 * Calls `fn` for each item, in order. Returns the values, or a promise of them. The first error ends the chunk.
 */
export function runChunk(fn: TaskFunction, items: readonly unknown[], star: boolean): unknown[] | Promise<unknown[]> {
  // Filled by push: V8 serializes an array created with its length index by index, which takes four times as long.
  const values: unknown[] = []
  for (const item of items) {
    const value = callOne(fn, item, star)
    if (isThenable(value)) return goOn(fn, items, star, values, value)
    values.push(value)
  }
  return values
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** From the first promise on. */
async function goOn(
  fn: TaskFunction,
  items: readonly unknown[],
  star: boolean,
  values: unknown[],
  first: PromiseLike<unknown>,
): Promise<unknown[]> {
  values.push(await first)
  for (let at = values.length; at < items.length; at++) values.push(await callOne(fn, items[at], star))
  return values
}

function callOne(fn: TaskFunction, item: unknown, star: boolean): unknown {
  return star ? fn(...(item as unknown[])) : fn(item)
}
