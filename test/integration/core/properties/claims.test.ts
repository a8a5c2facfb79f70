import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { ClaimFile } from '../../../../src/runtimes/wire/claims'
import { endAfterTest } from '../support'

const rounds = 40
const tasks = 10_000

/** Claims as fast as it can, once for each byte that it is told of, and says how many it got. */
const claimer = `
import os, sys
while True:
    line = sys.stdin.readline()
    if not line:
        break
    got = 0
    while got < ${tasks} and os.read(5, 1):
        got += 1
    print(got, flush=True)
`

describe('claims of two processes', () => {
  it(`add up to what was granted in each of ${rounds} races between a worker and a recall`, async () => {
    const file = ClaimFile.make()!
    const child = spawn('python3', ['-c', claimer], { stdio: ['pipe', 'pipe', 'inherit', 'ignore', 'ignore', file.fd] })
    if (child.pid !== undefined) endAfterTest(child.pid)
    const { stdin, stdout } = child
    if (stdin === null || stdout === null) throw new Error('no pipes')
    const answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
    let racesWon = 0
    let racesLost = 0
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < tasks; n++) {
        if (!file.hasRoom) throw new Error('no room')
        file.grant()
      }
      stdin.write('\n')
      const until = performance.now() + Math.random() * 5
      while (performance.now() < until);
      const back = file.recall()
      const claimed = Number((await answers.next()).value)
      expect(back + claimed).toBe(tasks)
      if (back > 0 && claimed > 0) racesWon++
      else racesLost++
    }
    stdin.end()
    await new Promise((resolve) => child.once('exit', resolve))
    file.close()
    console.log(`${racesWon} of ${racesWon + racesLost} recalls came in the middle`)
  })
})
