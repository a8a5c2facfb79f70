import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { HostConnection } from '../../../src/discovery'

/** What is promised: whatever a program or a file does, `ps` is answered within this time. */
const answersWithinMs = 1000
const askEveryMs = 50

/**
 * Does something to a host, and asks it meanwhile, again and again, what `unhang ps` asks.
 * @param asker A connection that has nothing else to do.
 * @returns what the attack gave; fails when an answer took longer than promised
 */
export async function answersDuring<Result>(asker: HostConnection, attack: () => Promise<Result>): Promise<Result> {
  const waits: number[] = []
  const attacked = new AbortController()
  const asking = (async () => {
    while (!attacked.signal.aborted || waits.length < 3) {
      const since = performance.now()
      await asker.request('unhang/snapshot', {}, { timeoutMs: 60_000 })
      waits.push(Math.round(performance.now() - since))
      await sleep(askEveryMs)
    }
  })()
  // An attack that fails is told first; a host that does not answer then is no news.
  asking.catch(() => undefined)
  try {
    return await attack()
  } finally {
    attacked.abort()
    await asking
    const longestMs = Math.max(...waits)
    process.stdout.write(`answered ${waits.length} times, after ${longestMs} ms at most\n`)
    expect(longestMs, 'the longest wait for an answer, in ms').toBeLessThan(answersWithinMs)
  }
}
