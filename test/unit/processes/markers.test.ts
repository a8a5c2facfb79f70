import { beforeEach, describe, expect, test } from 'vitest'
import { MarkerReader } from '../../../src/processes/linux/markers'
import type { ProcessRow, ProcessState } from '../../../src/processes/types'

const environments = new Map<number, () => Promise<string>>()
let asked: number[] = []
let reader = new MarkerReader()

beforeEach(() => {
  environments.clear()
  asked = []
  reader = new MarkerReader(20, (pid) => {
    asked.push(pid)
    return environments.get(pid)?.() ?? Promise.reject(Object.assign(new Error('gone'), { code: 'ESRCH' }))
  })
})

function row(pid: number, state: ProcessState = 'sleeping', start = 1): ProcessRow {
  return {
    identity: { pid, startTime: `boot-${start}` },
    parentPid: 1,
    processGroup: 1,
    session: 1,
    state,
    command: 'x',
  }
}
const marked = (marker: string) => () => Promise.resolve(`A=1\0UNHANG_WORKER=${marker}\0`)
const old = (): number => 60_000
const young = (): number => 50

describe('markers', () => {
  test('are read once from a process', async () => {
    environments.set(10, marked('m'))
    expect(await reader.read([row(10)], old)).toEqual(new Map([[10, 'm']]))
    expect(await reader.read([row(10)], old)).toEqual(new Map([[10, 'm']]))
    expect(asked).toEqual([10])
  })

  test('are read anew for another process with the same pid', async () => {
    environments.set(10, marked('m'))
    await reader.read([row(10)], old)
    environments.set(10, marked('n'))
    expect(await reader.read([row(10, 'sleeping', 2)], old)).toEqual(new Map([[10, 'n']]))
  })

  test('are looked for again in a young process, which may be between fork and exec', async () => {
    environments.set(10, () => Promise.resolve('A=1'))
    expect(await reader.read([row(10)], young)).toEqual(new Map())
    environments.set(10, marked('m'))
    expect(await reader.read([row(10)], young)).toEqual(new Map([[10, 'm']]))
  })

  test('are not looked for again in an old one', async () => {
    environments.set(10, () => Promise.resolve('A=1'))
    await reader.read([row(10)], old)
    await reader.read([row(10)], old)
    expect(asked).toEqual([10])
  })

  test('are not read from a process in the kernel, whose memory may be locked for ever', async () => {
    await reader.read([row(10, 'uninterruptible'), row(11, 'zombie'), row(12, 'idle')], old)
    expect(asked).toEqual([])
  })

  test('of a process that does not answer are given up, and not asked for again', async () => {
    environments.set(10, () => new Promise(() => undefined))
    environments.set(20, marked('m'))
    expect(await reader.read([row(10), row(20)], young)).toEqual(new Map([[20, 'm']]))
    await reader.read([row(10), row(20)], young)
    expect(asked).toEqual([10, 20])
  })

  test('of processes that are gone or forbidden are none', async () => {
    expect(await reader.read([row(10)], old)).toEqual(new Map())
  })
})
