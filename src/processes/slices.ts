import { setImmediate } from 'node:timers/promises'

/**
 * Longest time that one slice of a pass over the process table holds the event loop; the contract allows 20 ms, but a
 * busy machine may interrupt it.
 */
const sliceMs = 4
/** Items between two looks at the clock; one takes some 10 µs, and looking would add a tenth. */
const itemsPerLook = 16

/** Calls `visit` for every item, and lets the event loop turn whenever a slice of a few milliseconds is used up. */
export async function forEachInSlices<Item>(
  items: Iterable<Item>,
  visit: (item: Item) => Promise<void> | void,
): Promise<void> {
  let sliceStart = performance.now()
  let count = 0
  for (const item of items) {
    const visited = visit(item)
    if (visited !== undefined) await visited
    if (++count % itemsPerLook !== 0 || performance.now() - sliceStart < sliceMs) continue
    await setImmediate()
    sliceStart = performance.now()
  }
}
