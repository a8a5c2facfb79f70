/** How a piece of work ended that had only so much time. */
export type Bounded<T> =
  | { readonly kind: 'done'; readonly value: T; readonly elapsedMs: number }
  | { readonly kind: 'failed'; readonly error: unknown; readonly elapsedMs: number }
  /** It still goes on, its signal is aborted, and nobody waits for it any more. */
  | { readonly kind: 'late'; readonly elapsedMs: number }

export interface BoundedOptions {
  /** False: waiting does not keep the process alive. Default true. */
  readonly keepAlive?: boolean
  /** Once this resolves, the work has this much time left at most. */
  readonly cutShort?: { readonly when: Promise<unknown>; readonly leftMs: number }
}

/** A timer with a longer delay would fire at once. */
export const longestDelayMs = 2 ** 31 - 1

/**
 * Does something that may throw, reject or hang, and waits for it `limitMs` at most. It never rejects: how it ended is
 * the result. At the limit the work's signal is aborted.
 */
export async function bounded<T>(
  work: (signal: AbortSignal) => T | Promise<T>,
  limitMs: number,
  options: BoundedOptions = {},
): Promise<Bounded<T>> {
  const { keepAlive = true, cutShort } = options
  const start = performance.now()
  const elapsedMs = (): number => Math.round(performance.now() - start)
  const controller = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const late = new Promise<Bounded<T>>((resolve) => {
    const after = (ms: number): void => {
      const timer = setTimeout(
        () => {
          resolve({ kind: 'late', elapsedMs: elapsedMs() })
        },
        Math.min(Math.max(ms, 0), longestDelayMs),
      )
      if (!keepAlive) timer.unref()
      timers.push(timer)
    }
    after(limitMs)
    void cutShort?.when.then(() => {
      after(cutShort.leftMs)
    })
  })
  const end = attempt(work, controller.signal).then(
    (value): Bounded<T> => ({ kind: 'done', value, elapsedMs: elapsedMs() }),
    (error: unknown): Bounded<T> => ({ kind: 'failed', error, elapsedMs: elapsedMs() }),
  )
  const result = await Promise.race([end, late])
  for (const timer of timers) clearTimeout(timer)
  if (result.kind === 'late') controller.abort()
  return result
}

/** What throws at once rejects like what throws later. */
async function attempt<T>(work: (signal: AbortSignal) => T | Promise<T>, signal: AbortSignal): Promise<T> {
  return work(signal)
}
