import { describe, expect, test } from 'vitest'
import type { Observed } from '../../../../src/host/programs/observers/observerMessages'
import { ParentView } from '../../../../src/host/programs/members/parentView'

type Threads = Observed['pools'][number]['threads']
const alive: Threads = { workers: true, tasks: true, results: true }

/** What a host takes for true of the threads of its pools, answer by answer; null: the program did not answer. */
async function taken(
  ...answers: readonly (Readonly<Record<number, Threads>> | null)[]
): Promise<Record<number, Threads>[]> {
  const left = [...answers]
  const link = {
    connected: true,
    ask: () => {
      const answer = left.shift()
      return answer
        ? Promise.resolve({ pools: Object.entries(answer).map(([key, threads]) => ({ key: Number(key), threads })) })
        : Promise.reject(new Error('no answer'))
    },
  }
  const view = new ParentView(
    { pid: 1 } as never,
    'none',
    link as never,
    { file: () => '/nowhere' } as never,
    () => undefined,
  )
  const seen: Record<number, Threads>[] = []
  while (left.length > 0) {
    await view.ask()
    seen.push(Object.fromEntries((view.observed?.pools ?? []).map(({ key, threads }) => [key, threads])))
  }
  return seen
}

describe('the threads of a pool', () => {
  test('have ended when two answers in a row say so', async () => {
    const dead: Threads = { ...alive, results: false }
    expect(await taken({ 1: alive }, { 1: dead }, { 1: dead }, { 1: dead })).toEqual([
      { 1: alive },
      { 1: { ...alive, results: null } },
      { 1: dead },
      { 1: dead },
    ])
    expect(await taken({ 1: dead }, { 1: alive }, { 1: dead })).toEqual([
      { 1: { ...alive, results: null } },
      { 1: alive },
      { 1: { ...alive, results: null } },
    ])
  })

  test('are each seen by themselves, and each pool too', async () => {
    expect(
      (
        await taken(
          { 1: { ...alive, results: false }, 2: alive },
          { 1: { ...alive, tasks: false }, 2: { ...alive, results: false } },
        )
      ).at(-1),
    ).toEqual({ 1: { ...alive, tasks: null }, 2: { ...alive, results: null } })
  })

  test('that never were are none', async () => {
    const none: Threads = { workers: null, tasks: null, results: true }
    expect(await taken({ 1: none }, { 1: none })).toEqual([{ 1: none }, { 1: none }])
  })

  test('stay as they were last seen while the program does not answer', async () => {
    const dead: Threads = { ...alive, results: false }
    expect((await taken({ 1: dead }, { 1: dead }, null)).at(-1)).toEqual({ 1: dead })
  })
})
