import { describe, expect, it } from 'vitest'
import { judgeProgramPool } from '../../../src/diagnosis'
import { wireVerdict } from '../../../src/host/programs/parts/programPart'
import { verdictSnapshot } from '../../../src/host/terms/verdictSnapshot'
import { dead, pool, reader } from '../diagnosis/watchedPools/facts'

describe('a verdict for clients', () => {
  const [lost] = judgeProgramPool(pool({ workers: [dead(3), reader(4)] }))

  it('has its English texts, and the messages that they were made of', () => {
    const { summary, messages } = verdictSnapshot(lost!)
    expect(summary).toMatch(/^train\.py:42 will wait for ever: task 3 run\(3\) was lost when /)
    expect(messages?.advice).toEqual({
      id: 'Rescue: fail the task ({0} raises WorkerLost) or run it again.',
      args: ['map()'],
    })
    expect(messages?.evidence[0]).toEqual({
      what: { id: 'exit of {0}', args: [{ id: '{0} (pid {1})', args: ['ForkPoolWorker-3', 4713] }] },
      value: { id: 'exit {0}', args: [1] },
    })
  })

  it('of a watched pool has them too, and is the same after its way as JSON', () => {
    const sent = wireVerdict(lost!)
    expect(sent.messages).toEqual(verdictSnapshot(lost!).messages)
    expect(JSON.parse(JSON.stringify(sent))).toEqual(sent)
  })

  it('that is a copy has its English texts alone', () => {
    expect(verdictSnapshot({ ...lost! })).not.toHaveProperty('messages')
  })
})
