import { describe, expect, it } from 'vitest'
import { soak } from '../../bench/soak'
import { repository } from './support'

/** Together; `npm run bench soak` does the same for ten minutes. */
const seconds = Number(process.env.UNHANG_SOAK_SECONDS ?? 30)

describe('while workers are killed and tasks cancelled at random, under load', () => {
  it.each(['node', 'python'] as const)(
    'a pool of %s workers loses nothing but what was running, and answers everything once',
    async (kind) => {
      const result = await soak(kind, { seconds: seconds / 2, repository })
      console.log(kind, JSON.stringify(result))
      expect(result).toMatchObject({ lostBeyond: 0, answeredTwice: 0, begunTwice: 0, wrong: 0, hangs: 0, left: 0 })
      expect(result.done + result.lost + result.cancelled).toBe(result.tasks)
      expect(result.tasks).toBeGreaterThan(1000)
    },
    seconds * 1000 + 120_000,
  )
})
