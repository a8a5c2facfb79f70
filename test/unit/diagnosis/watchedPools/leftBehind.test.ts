import { expect, it } from 'vitest'
import { leftBehind } from '../../../../src/diagnosis'
import { evidence } from './facts'

const worker = { name: 'ForkPoolWorker-1', pid: 4711, isWorker: true }
const command = { name: 'ssh-agent-4720', pid: 4720, isWorker: false }
const ended = { program: 'train.py', pid: 4700, exit: 'exit 0', endedByItself: true, agoMs: 1200 }
const killed = { ...ended, exit: 'exit -9 (SIGKILL)', endedByItself: false }

it('a worker that outlives its program is stuck, however that one ended', () => {
  for (const facts of [ended, killed]) {
    const [verdict] = leftBehind({ ...facts, workers: [worker] })
    expect(verdict).toMatchObject({
      code: 'orphaned',
      stuck: true,
      confidence: 'certain',
      worker: 'ForkPoolWorker-1',
      pid: 4711,
    })
    expect(verdict?.summary).toBe('ForkPoolWorker-1 (pid 4711) still runs although train.py (pid 4700) has ended.')
    expect(evidence(verdict!)).toBe(`exit of train.py (pid 4700): ${facts.exit}, 1.2 s ago\nstill running: pid 4711`)
  }
})

it('a command is only told of when its program came to its end, as it may be meant to stay', () => {
  const verdicts = leftBehind({ ...ended, workers: [worker, command] })
  expect(verdicts.map(({ pid, stuck }) => ({ pid, stuck }))).toEqual([
    { pid: 4711, stuck: true },
    { pid: 4720, stuck: false },
  ])
  expect(verdicts[1]?.advice).toContain('unless that was started to stay')
  expect(leftBehind({ ...killed, workers: [command] })[0]).toMatchObject({ stuck: true })
})
