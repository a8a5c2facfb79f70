import { expect, test } from 'vitest'
import { processFacts } from '../../../../src/host/programs/parts/programFacts'
import { ProgramMember } from '../../../../src/host/programs/members/programMember'

const parent = {
  pid: 1000,
  state: 'sleeping',
  stoppedMs: 0,
  answers: true,
  waitsIn: null,
  quietMs: 0,
  sigterm: 'default',
  wait: null,
  threadWaits: [],
  joins: null,
  hasThreads: null,
  standsStillMs: 0,
} as const

test('a worker that ended long ago is of no more interest, unless its program has not collected it', () => {
  const [collected, zombie] = ['Process-1', 'Process-2'].map((name, index) => {
    const member = new ProgramMember(name, name, 1001 + index, 0)
    member.exit = { exitCode: 1, signal: null, at: 1000, steadyAt: 1000, endedByUs: null, oomKills: null }
    return member
  })
  zombie!.uncollected = true
  const { workers } = processFacts('train.py', 'processes', parent, [collected!, zombie!], 30_000, 100_000)
  expect(workers.map(({ name, exit }) => [name, exit?.uncollected])).toEqual([['Process-2', true]])
})

test('a process that ended badly long ago is what those that stand still may wait for', () => {
  const members = [0, 1].map((exitCode) => {
    const member = new ProgramMember(`Process-${exitCode}`, `Process-${exitCode}`, 1001 + exitCode, 0)
    member.exit = { exitCode, signal: null, at: 1000, steadyAt: 1000, endedByUs: null, oomKills: null }
    return member
  })
  expect(
    processFacts('train.py', 'processes', { ...parent, standsStillMs: 2000 }, members, 30_000, 100_000).workers.map(
      ({ name }) => name,
    ),
  ).toEqual(['Process-1'])
  expect(processFacts('train.py', 'processes', parent, members, 30_000, 100_000).workers).toEqual([])
})
