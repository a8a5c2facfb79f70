import { bounded, type BoundedOptions } from './bounded'
import type { PreemptionEvent } from './events'
import type { CompleteTermination, SaveContext } from './terminationConfig'

/** A save that was told to stop may take this long to do so, or half as long as it had, if that is less. */
const abortedSaveMs = 1000

/**
 * Saves, if there is anything to save. A save that throws, rejects or hangs is told, and no more than that.
 * @returns how long it took
 */
export async function saveInTime(
  { save }: CompleteTermination,
  about: Omit<SaveContext, 'signal'>,
  options: BoundedOptions,
  tell: (event: PreemptionEvent) => void,
): Promise<number> {
  if (save === undefined) return 0
  const { occasion, limitMs } = about
  let saving: Promise<void> | undefined
  const result = await bounded(
    (signal) => {
      saving = Promise.resolve(save({ ...about, signal }))
      return saving
    },
    limitMs,
    options,
  )
  const { elapsedMs } = result
  switch (result.kind) {
    case 'done':
      tell({ kind: 'saved', occasion, elapsedMs })
      break
    case 'failed':
      tell({ kind: 'saveFailed', occasion, elapsedMs, error: result.error })
      break
    case 'late':
      tell({ kind: 'saveFailed', occasion, elapsedMs, error: undefined })
      // It was told to stop: the next one should not come on top of it.
      await bounded(() => saving, Math.min(abortedSaveMs, limitMs / 2))
  }
  return elapsedMs
}
