import { beforeEach, expect, test } from 'vitest'
import { MemberList } from '../../../../src/host/programs/members/memberList'
import { ProgramMember } from '../../../../src/host/programs/members/programMember'
import type { RecordedProcess } from '../../../../src/runtimes'

let members: MemberList
let next: number
beforeEach(() => {
  members = new MemberList({ workerChanged: () => undefined, workerRemoved: () => undefined })
  next = 0
})

function recorded(facts: Partial<RecordedProcess>): RecordedProcess {
  return {
    slot: 1,
    generation: 1,
    poolKey: 1,
    pid: 1,
    parentThreads: 1,
    startTicks: 1,
    startedAt: 1,
    exitCode: null,
    exitedAt: null,
    name: '',
    counter: 1,
    phase: 'idle',
    holds: [],
    ready: true,
    untold: false,
    keptBytes: 0,
    job: 0,
    index: 0,
    taskStartedAt: 0,
    stackSignal: 0,
    label: '',
    unpicklableResults: 0,
    ...facts,
  }
}

function comes(facts: Partial<RecordedProcess> = {}): ProgramMember {
  const number = (next += 1)
  const member = new ProgramMember(`${number}`, `ForkPoolWorker-${number}`, 1000 + number, 0)
  member.recorded = recorded(facts)
  members.add(member)
  return member
}

function exits(member: ProgramMember): ProgramMember {
  member.exit = { exitCode: 1, signal: null, at: 1, steadyAt: 1, endedByUs: null, oomKills: null }
  members.exited(member)
  return member
}

const numbers = (): number[] => members.all().map(({ key }) => Number(key))

test('the last hundred that left in order stay listed, and what the others did still counts', () => {
  for (let count = 0; count < 250; count += 1) exits(comes({ counter: 4 }))
  expect(numbers()).toEqual(Array.from({ length: 100 }, (_, index) => 151 + index))
  expect([members.exitedCount, members.counts().done]).toEqual([250, 1000])
})

test('of lost tasks that nobody rescues the first and the last stay listed, and the others are counted', () => {
  for (let count = 0; count < 5000; count += 1) exits(comes({ phase: 'running' }))
  const listed = numbers()
  expect(listed.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, index) => 1 + index))
  expect(listed.slice(100)).toEqual(Array.from({ length: 1000 }, (_, index) => 4001 + index))
  expect(members.counts().lost).toBe(5000)
  expect(members.unlistedLosses).toBe(3900)
})

test('a lost task outlives any number of exits without one', () => {
  const lost = exits(comes({ phase: 'running' }))
  for (let count = 0; count < 500; count += 1) exits(comes())
  expect(members.has(lost)).toBe(true)
  expect(members.counts().lost).toBe(1)
})

test('a rescued task stays listed as long as others that have exited', () => {
  const lost = exits(comes({ phase: 'running' }))
  for (let count = 0; count < 200; count += 1) exits(comes())
  lost.rescued = 'failed'
  members.rescued(lost)
  for (let count = 0; count < 99; count += 1) exits(comes())
  expect(members.has(lost)).toBe(true)
  exits(comes())
  expect(members.has(lost)).toBe(false)
  expect(members.counts()).toMatchObject({ lost: 0, failed: 1 })
})

test('a worker whose exit was seen before its last note is judged by that note', () => {
  const member = exits(comes({ phase: 'running' }))
  member.recorded = recorded({ phase: 'idle' })
  for (let count = 0; count < 100; count += 1) exits(comes())
  expect(members.has(member)).toBe(false)
})

test('an exit looks at nobody else, however many there are', () => {
  let looks = 0
  for (let count = 0; count < 1000; count += 1)
    Object.defineProperty(comes(), 'live', {
      get: () => {
        looks += 1
        return true
      },
    })
  for (let count = 0; count < 200; count += 1) exits(comes())
  expect(looks).toBe(0)
})
