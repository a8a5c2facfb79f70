import { readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** The holder touches the lock this often … */
const beatMs = 5000
/** … so one untouched for this long belongs to nobody (also when its pid means something else by now). */
const staleMs = 60_000

/**
 * Holds a lock file while `body` runs; waits as long as another live process holds it. It only saves double work:
 * what it guards must be right without it.
 * @template T
 * @param {string} file
 * @param {{ onWait: () => void }} options `onWait` is called once, if another process holds it
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withInstallLock(file, options, body) {
  let waited = false
  while (!tryLock(file)) {
    if (isAbandoned(file)) {
      remove(file)
      continue
    }
    if (!waited) options.onWait()
    waited = true
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  const beat = setInterval(() => {
    const now = new Date()
    try {
      utimesSync(file, now, now)
    } catch {
      // Someone removed it: the work goes on, see above.
    }
  }, beatMs)
  beat.unref()
  try {
    return await body()
  } finally {
    clearInterval(beat)
    remove(file)
  }
}

/** @param {string} file */
function tryLock(file) {
  try {
    writeFileSync(file, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/** @param {string} file */
function isAbandoned(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > staleMs) return true
    const holder = /** @type {{ pid?: unknown, host?: unknown }} */ (JSON.parse(readFileSync(file, 'utf8')))
    return holder.host === hostname() && typeof holder.pid === 'number' && !isAlive(holder.pid)
  } catch {
    return false // gone already, or being written: look again
  }
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** @param {string} file */
function remove(file) {
  try {
    unlinkSync(file)
  } catch {
    // Already gone.
  }
}
