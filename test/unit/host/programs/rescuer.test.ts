import { beforeEach, expect, test } from 'vitest'
import type { RescueOption } from '../../../../src/diagnosis'
import type { ProgramContext } from '../../../../src/host/programs/context/programContext'
import { Rescuer } from '../../../../src/host/programs/watched/rescuer'
import type { WatchedPool } from '../../../../src/host/programs/watched/watchedPool'

/** How often anything was tried. */
let tried: number
let rescuer: Rescuer
beforeEach(() => {
  tried = 0
  const log = {
    info: () => {
      tried += 1
    },
  }
  rescuer = new Rescuer({ log } as unknown as ProgramContext)
})

function poolOf(): { pool: WatchedPool; verdicts: { stuck: boolean; rescue: RescueOption[] }[] } {
  const verdicts: { stuck: boolean; rescue: RescueOption[] }[] = []
  return {
    pool: {
      name: 'train.py:42',
      verdicts,
      members: { all: () => [], byPid: () => undefined },
    } as unknown as WatchedPool,
    verdicts,
  }
}

function retry(label: string): { stuck: boolean; rescue: RescueOption[] } {
  return {
    stuck: true,
    rescue: [{ kind: 'task', worker: 'ForkPoolWorker-1', pid: 4711, task: '1', label, retriable: true }],
  }
}

test('what did not help three times is not tried again', async () => {
  const { pool, verdicts } = poolOf()
  verdicts.push(retry('run(1)'))
  for (let look = 0; look < 10; look += 1) await rescuer.retryByPolicy(pool)
  expect(tried).toBe(3)
})

test('what is given up is told once', async () => {
  const { pool, verdicts } = poolOf()
  verdicts.push(retry('run(1)'))
  const told: (readonly string[])[] = []
  for (let look = 0; look < 6; look += 1) told.push((await rescuer.retryByPolicy(pool)).gaveUp)
  expect(told).toEqual([[], [], [], ['run(1)'], [], []])
})

test('what is stuck in another pool is another matter', async () => {
  for (const { pool, verdicts } of [poolOf(), poolOf()]) {
    verdicts.push(retry('run(1)'))
    await rescuer.retryByPolicy(pool)
  }
  expect(tried).toBe(2)
})

test('a thousand at a time are given up in the end, too', async () => {
  const { pool, verdicts } = poolOf()
  for (let count = 0; count < 1100; count += 1) verdicts.push(retry(`run(${count})`))
  for (let look = 0; look < 10; look += 1) await rescuer.retryByPolicy(pool)
  expect(tried).toBe(3300)
})

test('what was tried in a pool that runs for weeks is not remembered for ever', async () => {
  const { pool, verdicts } = poolOf()
  const tryOnce = async (label: string): Promise<number> => {
    const before = tried
    verdicts.splice(0, 1, retry(label))
    await rescuer.retryByPolicy(pool)
    return tried - before
  }
  for (let count = 0; count < 4; count += 1) await tryOnce('run(0)')
  expect(await tryOnce('run(0)')).toBe(0)
  for (let count = 1; count <= 10_000; count += 1) await tryOnce(`run(${count})`)
  expect(await tryOnce('run(0)')).toBe(1)
})
