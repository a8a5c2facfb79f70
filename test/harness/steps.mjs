/** Names what is being done and, at its end, how long it took. @typedef {{ note: (text: string) => void }} Step */

const startedAt = Date.now()

/** @param {number} ms */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

/** The time since this program started, as it is shown in front of a step. */
function clock() {
  const total = Math.floor((Date.now() - startedAt) / 1000)
  return `[${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}]`
}

/** Prints one line with the time in front. @param {string} text */
export function say(text) {
  console.log(`${clock()} ${text}`)
}

/**
 * Runs one step of a longer way and says when it starts, ends or fails.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} body
 * @returns {Promise<T>}
 */
export async function step(title, body) {
  const began = Date.now()
  say(`${title} …`)
  try {
    const result = await body()
    say(`${title}: done in ${seconds(Date.now() - began)}`)
    return result
  } catch (error) {
    say(`${title}: failed after ${seconds(Date.now() - began)}`)
    throw error
  }
}
