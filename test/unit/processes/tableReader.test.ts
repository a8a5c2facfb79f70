import type { Systeminformation } from 'systeminformation'
import { expect, test } from 'vitest'
import { TableReader } from '../../../src/processes/anywhere/tableReader'

function data(pid: number, started: string): Systeminformation.ProcessesProcessData {
  return {
    pid,
    parentPid: 1,
    name: 'x',
    cpu: 0,
    cpuu: 0,
    cpus: 0,
    mem: 0,
    priority: 0,
    memVsz: 0,
    memRss: 0,
    nice: 0,
    started,
    state: 'sleeping',
    tty: '',
    user: '',
    command: 'x',
    params: '',
    path: '',
  }
}

test('calls that come together share one reading, and one that comes while it runs gets a newer one', async () => {
  let readings = 0
  let release = (): void => undefined
  const reader = new TableReader(async () => {
    readings++
    await new Promise<void>((resolve) => (release = resolve))
    return [data(readings, '2024-05-31 12:00:00')]
  })
  const together = [reader.byPid(), reader.byPid()]
  await expect.poll(() => readings).toBe(1)
  const later = reader.byPid()
  release()
  expect((await Promise.all(together)).map((rows) => [...rows.keys()])).toEqual([[1], [1]])
  await expect.poll(() => readings).toBe(2)
  release()
  expect([...(await later).keys()]).toEqual([2])
})

test(
  'a start that is seen a second later is the start that was seen before, and one much later is ' + 'another process',
  async () => {
    const starts = ['2024-05-31 12:00:00', '2024-05-31 12:00:01', '2024-05-31 12:34:56']
    const reader = new TableReader(() => Promise.resolve([data(10, starts.shift()!)]))
    const first = (await reader.byPid()).get(10)!.identity
    expect((await reader.byPid()).get(10)!.identity).toEqual(first)
    expect((await reader.byPid()).get(10)!.identity).not.toEqual(first)
  },
)

test('a look is answered from a reading of a moment ago, unless the process is newer than that', async () => {
  let readings = 0
  const reader = new TableReader(() =>
    Promise.resolve([data(10, '2024-05-31 12:00:00'), ...(++readings > 1 ? [data(20, '2024-05-31 12:00:00')] : [])]),
  )
  await reader.byPid()
  expect(await reader.recentRow(10)).toBeDefined()
  expect(readings).toBe(1)
  expect(await reader.recentRow(20)).toBeDefined()
  expect(readings).toBe(2)
})

test('a reading that failed does not spoil the next one', async () => {
  let fail = true
  const reader = new TableReader(() => {
    if (!fail) return Promise.resolve([])
    fail = false
    return Promise.reject(new Error('no ps'))
  })
  await expect(reader.byPid()).rejects.toThrow('no ps')
  await expect(reader.byPid()).resolves.toEqual(new Map())
})
