import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { tryLock } from '../../../src/host/lifetime/lock'
import type { ProcessIdentity } from '../../../src/processes'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uh-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const alive = new Set<number>()
const isAlive = (holder: ProcessIdentity) => Promise.resolve(alive.has(holder.pid))
const take = (pid: number) => tryLock(folder, { pid, startTime: `s${pid}` }, isAlive)
beforeEach(() => {
  alive.clear()
})

it('the first one takes a free lock', async () => {
  expect(await take(10)).toEqual({ held: true, generation: 1 })
})

it('a second one is told who holds it', async () => {
  alive.add(10)
  await take(10)
  expect(await take(11)).toEqual({ held: false, holder: { pid: 10, startTime: 's10' } })
})

it('the lock of a dead holder is taken over, and its file goes', async () => {
  await take(10)
  expect(await take(11)).toEqual({ held: true, generation: 2 })
  expect(readdirSync(folder)).toEqual(['lock.2'])
})

it('a lock file that makes no sense holds nobody up', async () => {
  writeFileSync(join(folder, 'lock.4'), 'half of some')
  expect(await take(10)).toEqual({ held: true, generation: 5 })
})

it('of many that find a dead holder at the same time, exactly one takes over', async () => {
  for (let round = 0; round < 30; round++) {
    alive.clear()
    const pids = Array.from({ length: 12 }, (_, index) => 1000 + round * 100 + index)
    // Each of them is alive from the start, as a process that asks for the lock is.
    for (const pid of pids) alive.add(pid)
    const attempts = await Promise.all(pids.map(take))
    expect(attempts.filter((attempt) => attempt.held)).toHaveLength(1)
  }
})

it('one that looked long ago does not take the lock from somebody who took over since', async () => {
  await take(10)
  // While 11 asks whether 10 is alive, 12 takes over and 13 takes over from 12: generation 2 is free again, 3 is held.
  const attempt = await tryLock(folder, { pid: 11, startTime: 's11' }, async (holder) => {
    if (holder.pid === 10) {
      await take(12)
      await take(13)
      alive.add(13)
      return false
    }
    return isAlive(holder)
  })
  expect(attempt).toEqual({ held: false, holder: { pid: 13, startTime: 's13' } })
  expect(readdirSync(folder)).toEqual(['lock.3'])
})
