/**
 * Runs somebody else's code: what it throws is theirs to hear of, as an uncaught exception, but must not stop the pool
 * half way.
 */
export function surfaceErrors(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
