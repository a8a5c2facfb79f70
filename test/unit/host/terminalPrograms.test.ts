import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TerminalPrograms } from '../../../src/host/programs/context/terminalPrograms'
import type { ProcessIdentity, ProcessTable } from '../../../src/processes'

let folder: string
let file: string
let alive: ProcessIdentity[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uh-'))
  file = join(folder, 'programs.jsonl')
  alive = [
    { pid: 7, startTime: 's7' },
    { pid: 8, startTime: 's8' },
  ]
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const processes = {
  inspect: ({ pid, startTime }: ProcessIdentity) =>
    Promise.resolve(
      alive.some((one) => one.pid === pid && one.startTime === startTime) ? { state: 'sleeping' } : undefined,
    ),
} as unknown as ProcessTable
const open = () =>
  TerminalPrograms.open(file, processes, (error) => {
    throw error as Error
  })
const program = (name: string) => ({ id: `program-${name}`, name, startedAt: 1 })

it('tells the next host who still runs, and nobody of this one', async () => {
  const first = await open()
  first.started({ pid: 7, startTime: 's7' }, program('train.py'))
  first.started({ pid: 8, startTime: 's8' }, program('crawl.py'))
  first.exited({ pid: 8, startTime: 's8' })
  expect(await first.unwatched()).toEqual([])
  expect(await (await open()).unwatched()).toEqual([{ name: 'train.py', pid: 7 }])
})

it('takes no other process for one that has ended', async () => {
  const first = await open()
  first.started({ pid: 7, startTime: 's7' }, program('train.py'))
  await first.close()
  alive = [{ pid: 7, startTime: 'later' }]
  expect(await (await open()).unwatched()).toEqual([])
})

it('forgets one that ends meanwhile, and leaves no file when nobody runs', async () => {
  const first = await open()
  first.started({ pid: 7, startTime: 's7' }, program('train.py'))
  await first.close()
  const second = await open()
  alive = []
  expect(await second.unwatched()).toEqual([])
  await second.close()
  expect(existsSync(file)).toBe(false)
})
