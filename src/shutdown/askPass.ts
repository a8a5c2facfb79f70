import { awaitEnd, type EndWatch } from './awaitEnd'
import type { TargetTree } from './targetTree'

/** Closes the workers' channels and waits: a worker may finish up and leave by itself. */
export async function askPass(gracePeriodMs: number, tree: TargetTree, watch: EndWatch): Promise<void> {
  const asked = tree.workers.filter((worker) => !worker.over && !worker.spared && worker.target?.ask !== undefined)
  if (asked.length === 0) return
  tree.begin()
  for (const worker of asked) {
    try {
      worker.target?.ask?.()
    } catch (error) {
      // Not the end of the shutdown: the signals are still to come. A channel that broke with its worker throws like
      // this.
      worker.foreseen.push(`could not be asked: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  // One that is stopped cannot hear.
  await awaitEnd(
    asked.filter((worker) => worker.state !== 'stopped'),
    gracePeriodMs,
    watch,
  )
}
