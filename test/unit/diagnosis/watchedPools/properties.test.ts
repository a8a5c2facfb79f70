import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { VerdictCode } from '../../../../src/diagnosis'
import { judgeProgramPool } from '../../../../src/diagnosis'
import { anyPool } from './anyPool'

// Each test judges thousands of pools, perhaps on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

/** Verdicts from facts of the program's observer; all others rest on the kernel and the flight recorder. */
const restOnParent: ReadonlySet<VerdictCode> = new Set<VerdictCode>([
  'lost-task',
  'orphaned-queue-lock',
  'result-thread-dead',
  'no-live-workers',
])
const runs = { numRuns: 5000 }

describe('whatever the facts of a pool', () => {
  it('rules do not fail, and say something in every verdict', () => {
    fc.assert(
      fc.property(anyPool, (facts) => {
        for (const { summary, advice, evidence } of judgeProgramPool(facts)) {
          expect(summary).toMatch(/\.$/)
          expect(advice).toMatch(/\.$/)
          expect(evidence.length).toBeGreaterThan(0)
          for (const text of [summary, advice, ...evidence.flatMap(({ what, value }) => [what, value])])
            expect(text).not.toMatch(/undefined|null|NaN|Infinity|\[object/)
        }
      }),
      runs,
    )
  })

  it(
    'nothing that rests on the program is certain when that does not answer, and nothing is offered that it ' +
      'would have to do',
    () => {
      fc.assert(
        fc.property(anyPool, (facts) => {
          if (facts.parent.answers) return
          for (const { code, confidence, rescue } of judgeProgramPool(facts)) {
            if (restOnParent.has(code)) expect(confidence).not.toBe('certain')
            expect(rescue.every(({ kind }) => kind === 'continue')).toBe(true)
          }
        }),
        runs,
      )
    },
  )

  it('every verdict and every way out names a worker that is there', () => {
    fc.assert(
      fc.property(anyPool, (facts) => {
        const pids = new Map(facts.workers.map(({ name, pid }) => [name, pid]))
        for (const { worker, pid, task, rescue } of judgeProgramPool(facts)) {
          if (worker !== null) expect(pids.get(worker)).toBe(pid)
          if (task !== null)
            expect(facts.workers.some((one) => one.name === worker && one.task?.id === task)).toBe(true)
          for (const option of rescue) expect(pids.get(option.worker)).toBe(option.pid)
        }
      }),
      runs,
    )
  })

  it('a dead worker is rescued from once, a live one only continued, and what is stuck comes first', () => {
    fc.assert(
      fc.property(anyPool, (facts) => {
        const verdicts = judgeProgramPool(facts)
        const options = verdicts.flatMap(({ rescue }) => rescue)
        expect(
          new Set(options.map((option) => `${option.kind} ${option.pid} ${option.kind === 'lock' ? option.lock : ''}`))
            .size,
        ).toBe(options.length)
        for (const { kind, pid } of options) {
          const dead = facts.workers.find((one) => one.pid === pid)?.exit !== null
          expect(dead).toBe(kind !== 'continue')
        }
        const firstTold = verdicts.findIndex(({ stuck }) => !stuck)
        if (firstTold >= 0) expect(verdicts.slice(firstTold).some(({ stuck }) => stuck)).toBe(false)
      }),
      runs,
    )
  })

  it('a pool that has ended, and a program that has, say nothing of lost tasks, locks and threads', () => {
    fc.assert(
      fc.property(anyPool, (facts) => {
        const ended = judgeProgramPool({ ...facts, state: 'ended' }).map(({ code }) => code)
        expect(ended.filter((code) => restOnParent.has(code))).toEqual([])
        expect(judgeProgramPool({ ...facts, parent: { ...facts.parent, state: 'zombie' } })).toEqual([])
      }),
      runs,
    )
  })
})
