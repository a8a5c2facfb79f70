import { appendFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { mainStack } from './mainStack'
import { beatAt, beatMs, watchingAt, type WatchdogData } from './shared'
import { Standing } from './standing'
import { whereInKernel } from './systemCall'

// dist/host-watchdog.js: see watchdog.ts.
const { shared, logFile, mainThread, mayInspect } = workerData as WatchdogData

async function guard(): Promise<never> {
  const standing = new Standing(Atomics.load(shared, beatAt))
  let last = performance.now()
  for (;;) {
    if (Atomics.load(shared, watchingAt) === 0) {
      Atomics.wait(shared, watchingAt, 0)
      standing.forget(Atomics.load(shared, beatAt))
      last = performance.now()
    }
    Atomics.wait(shared, watchingAt, 1, beatMs)
    const now = performance.now()
    const seen = standing.look(Atomics.load(shared, beatAt), now - last)
    last = now
    if (seen === undefined) continue
    const seconds = (seen.forMs / 1000).toFixed(1)
    if (seen.kind === 'goes-on') {
      write(`The host goes on: its event loop stood still for ${seconds} s.`)
      continue
    }
    const where = whereInKernel(mainThread)
    const stack = mayInspect ? await mainStack() : undefined
    write(
      `The host does not answer: its event loop has stood still for ${seconds} ` +
        `s${stack === undefined && where !== undefined ? `, ${where}` : ''}.`,
      stack,
    )
  }
}

/** Written synchronously by this thread: the log's stream belongs to the blocked thread. */
function write(message: string, stack?: readonly string[]): void {
  try {
    appendFileSync(
      logFile,
      `${new Date().toISOString()} ERROR ${message}${stack === undefined ? '' : ` ${JSON.stringify({ stack })}`}\n`,
      { mode: 0o600 },
    )
  } catch {
    // A full disk costs the log, not the pools.
  }
}

void guard()
