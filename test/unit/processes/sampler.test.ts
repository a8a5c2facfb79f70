import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  Sampler,
  type MachineLoad,
  type ProcessIdentity,
  type ProcessUsage,
  type UsageSample,
} from '../../../src/processes'

const one: ProcessIdentity = { pid: 10, startTime: 'boot-1' }
const two: ProcessIdentity = { pid: 20, startTime: 'boot-2' }
const load: MachineLoad = {
  cores: 2,
  cpuPercent: 50,
  cpuPercentSinceBoot: 10,
  loadAverage: [1, 1, 1],
  memoryTotalBytes: 100,
  memoryUsedBytes: 40,
}

let errors: unknown[] = []
let cpu = new Map<ProcessIdentity, number>()
let reads: number[][] = []

const usage = (identities: readonly ProcessIdentity[]): Promise<ReadonlyMap<number, ProcessUsage>> => {
  reads.push(identities.map(({ pid }) => pid))
  const found = identities.filter((identity) => cpu.has(identity))
  return Promise.resolve(
    new Map(found.map((identity) => [identity.pid, { identity, cpuTimeMs: cpu.get(identity)!, memoryBytes: 1000 }])),
  )
}
const sampler = (over: { usage?: typeof usage; machine?: () => Promise<MachineLoad> } = {}): Sampler =>
  new Sampler({ usage, machine: () => Promise.resolve(load), onError: (error) => errors.push(error), ...over })

beforeEach(() => {
  vi.useFakeTimers()
  errors = []
  reads = []
  cpu = new Map([
    [one, 100],
    [two, 200],
  ])
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('the sampler', () => {
  test('measures at once, then once an interval, and stops with its last subscriber', async () => {
    const all = sampler()
    const samples: ReadonlyMap<number, UsageSample>[] = []
    const subscription = all.subscribe({
      identities: () => [one],
      intervalMs: 1000,
      onSample: (sample) => samples.push(sample),
    })
    expect(all.running).toBe(true)
    await vi.advanceTimersByTimeAsync(2500)
    expect(samples).toHaveLength(3)
    subscription[Symbol.dispose]()
    expect(all.running).toBe(false)
    await vi.advanceTimersByTimeAsync(5000)
    expect(samples).toHaveLength(3)
  })

  test('works CPU out between two samples, as a share of one core', async () => {
    const percents: (number | null | undefined)[] = []
    const subscription = sampler().subscribe({
      identities: () => [one],
      intervalMs: 1000,
      onSample: (sample) => {
        percents.push(sample.get(10)?.cpuPercent)
        cpu.set(one, cpu.get(one)! + 1500)
      },
    })
    await vi.advanceTimersByTimeAsync(1100)
    subscription[Symbol.dispose]()
    expect(percents).toEqual([null, 150])
  })

  test('does not take over CPU time from an earlier process with the same pid', async () => {
    let current = one
    const percents: (number | null | undefined)[] = []
    const subscription = sampler().subscribe({
      identities: () => [current],
      intervalMs: 1000,
      onSample: (sample) => percents.push(sample.get(10)?.cpuPercent),
    })
    await vi.advanceTimersByTimeAsync(0)
    current = { ...one, startTime: 'boot-9' }
    cpu.set(current, 5000)
    await vi.advanceTimersByTimeAsync(1000)
    subscription[Symbol.dispose]()
    expect(percents).toEqual([null, null])
  })

  test(
    'reads the processes of all who are due in one batch, each once, and tells everybody ' + 'only of their own',
    async () => {
      const all = sampler()
      const told = new Map<string, number[]>()
      const subscriptions = (['a', 'b'] as const).map((name) =>
        all.subscribe({
          identities: () => (name === 'a' ? [one] : [one, two]),
          intervalMs: 1000,
          onSample: (sample) => told.set(name, [...sample.keys()]),
        }),
      )
      await vi.advanceTimersByTimeAsync(0)
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
      expect(reads).toEqual([[10, 20]])
      expect(told).toEqual(
        new Map([
          ['a', [10]],
          ['b', [10, 20]],
        ]),
      )
    },
  )

  test('measures each subscriber at its own interval', async () => {
    const all = sampler()
    const counts = { often: 0, seldom: 0 }
    const subscriptions = [
      all.subscribe({ identities: () => [one], intervalMs: 500, onSample: () => counts.often++ }),
      all.subscribe({ identities: () => [two], intervalMs: 2000, onSample: () => counts.seldom++ }),
    ]
    await vi.advanceTimersByTimeAsync(4100)
    for (const subscription of subscriptions) subscription[Symbol.dispose]()
    expect(counts).toEqual({ often: 9, seldom: 3 })
  })

  test('leaves out who is gone', async () => {
    cpu.delete(two)
    const told: number[][] = []
    const subscription = sampler().subscribe({
      identities: () => [one, two],
      intervalMs: 1000,
      onSample: (sample) => told.push([...sample.keys()]),
    })
    await vi.advanceTimersByTimeAsync(0)
    subscription[Symbol.dispose]()
    expect(told).toEqual([[10]])
  })

  test('never reads twice at once, however slow a reading is', async () => {
    let running = 0
    let most = 0
    const slow = async (identities: readonly ProcessIdentity[]): Promise<ReadonlyMap<number, ProcessUsage>> => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 3000))
      running--
      return usage(identities)
    }
    const subscription = sampler({ usage: slow }).subscribe({
      identities: () => [one],
      intervalMs: 1000,
      onSample: () => undefined,
    })
    await vi.advanceTimersByTimeAsync(10_000)
    subscription[Symbol.dispose]()
    await vi.advanceTimersByTimeAsync(3000)
    expect(most).toBe(1)
  })

  test('tells a subscriber that left during a reading nothing more', async () => {
    const onSample = vi.fn()
    const subscription = sampler().subscribe({ identities: () => [one], intervalMs: 1000, onSample })
    vi.advanceTimersByTime(0)
    subscription[Symbol.dispose]()
    await vi.advanceTimersByTimeAsync(0)
    expect(onSample).not.toHaveBeenCalled()
  })

  test('goes on after a reading that failed, and after a subscriber that threw', async () => {
    let fail = true
    const all = sampler({
      usage: (identities) => {
        if (!fail) return usage(identities)
        fail = false
        return Promise.reject(new Error('no table'))
      },
    })
    const onSample = vi.fn()
    const subscriptions = [
      all.subscribe({
        identities: () => [one],
        intervalMs: 1000,
        onSample: () => {
          throw new Error('bad subscriber')
        },
      }),
      all.subscribe({ identities: () => [one], intervalMs: 1000, onSample }),
    ]
    await vi.advanceTimersByTimeAsync(1000)
    for (const subscription of subscriptions) subscription[Symbol.dispose]()
    expect(onSample).toHaveBeenCalledTimes(1)
    expect(errors.map(String)).toEqual(['Error: no table', 'Error: bad subscriber'])
  })

  test('measures the machine apart from processes', async () => {
    const loads: MachineLoad[] = []
    const subscription = sampler().subscribeMachine({ intervalMs: 1000, onSample: (sample) => loads.push(sample) })
    await vi.advanceTimersByTimeAsync(1000)
    subscription[Symbol.dispose]()
    expect(loads).toEqual([load, load])
    expect(reads).toEqual([])
  })
})
