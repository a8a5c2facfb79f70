import { expect, test, vi } from 'vitest'
import { ProgramMember } from '../../../../src/host/programs/members/programMember'

function seen(
  state: ProgramMember['state'],
  ...looks: readonly { readonly agoMs: number; readonly cpuMs: number }[]
): string {
  const now = performance.now()
  const member = new ProgramMember('1 s1', 'MainProcess', 1, Date.now())
  member.state = state
  for (const { agoMs, cpuMs } of looks) member.movement.observe(now - agoMs, cpuMs, 0)
  return member.status
}

test('A process without a recorder is not called busy at the first look, unless it runs at that moment', () => {
  expect(seen('sleeping', { agoMs: 0, cpuMs: 5000 })).toBe('idle')
  expect(seen('running', { agoMs: 0, cpuMs: 5000 })).toBe('busy')
  expect(seen('uninterruptible', { agoMs: 0, cpuMs: 5000 })).toBe('busy')
})

test('From the second look on its CPU time tells', () => {
  expect(seen('sleeping', { agoMs: 500, cpuMs: 5000 }, { agoMs: 0, cpuMs: 5400 })).toBe('busy')
  expect(seen('sleeping', { agoMs: 500, cpuMs: 5000 }, { agoMs: 0, cpuMs: 5000 })).toBe('idle')
  expect(seen('running', { agoMs: 1500, cpuMs: 5000 }, { agoMs: 0, cpuMs: 5000 })).toBe('idle')
})

test('How long it has run stays the same when the wall clock is set', () => {
  vi.useFakeTimers()
  try {
    const member = new ProgramMember('1 s1', 'MainProcess', 1, Date.now())
    member.verdict = {
      code: 'no-progress',
      stuck: true,
      summary: '',
      evidence: [],
      advice: '',
      confidence: 'certain',
      worker: '',
      task: null,
    } as unknown as ProgramMember['verdict']
    vi.advanceTimersByTime(5000)
    for (const offsetMs of [3_600_000, -3_600_000]) {
      vi.setSystemTime(Date.now() + offsetMs)
      expect(member.snapshot().task?.elapsedMs).toBe(5000)
    }
  } finally {
    vi.useRealTimers()
  }
})
