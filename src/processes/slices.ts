import { setImmediate } from 'node:timers/promises'

/** Longest time that one slice of a pass over the process table holds the event loop; the contract allows 20 ms, the rest is for others. */
const sliceMs = 8

/** Calls `visit` for every item, and lets the event loop turn whenever a slice of a few milliseconds is used up. */
export async function forEachInSlices<Item>(items: Iterable<Item>, visit: (item: Item) => void): Promise<void> {
  let sliceStart = performance.now()
  for (const item of items) {
    visit(item)
    if (performance.now() - sliceStart < sliceMs) continue
    await setImmediate()
    sliceStart = performance.now()
  }
}
