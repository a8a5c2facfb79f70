/** Rejects with the given error when the promise takes longer; the timer never outlives the promise. */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, error: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          reject(error())
        }, timeoutMs)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
