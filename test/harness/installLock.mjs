import lockfile from 'proper-lockfile'

/** A lock that its holder has not touched for this long belongs to a run that is dead. */
const staleMs = 20_000
const betweenAttemptsMs = 1000

/**
 * Holds a lock while `body` runs; waits as long as another live process holds it. It only saves double work: what it
 * guards must be right without it.
 * @template T
 * @param {string} file the lock is `file` with `.lock` behind it; the file itself need not exist
 * @param {{ onWait: () => void }} options `onWait` is called once, if another process holds it
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withInstallLock(file, options, body) {
  const settings = {
    realpath: false,
    stale: staleMs,
    // Removed by hand, or this machine was asleep: the work goes on, see above.
    onCompromised: () => {},
  }
  const release = await lockfile.lock(file, settings).catch((/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'ELOCKED') throw error
    options.onWait()
    return lockfile.lock(file, {
      ...settings,
      retries: { forever: true, factor: 1, minTimeout: betweenAttemptsMs, maxTimeout: betweenAttemptsMs },
    })
  })
  try {
    return await body()
  } finally {
    // Already released when it was compromised.
    await release().catch(() => {})
  }
}
