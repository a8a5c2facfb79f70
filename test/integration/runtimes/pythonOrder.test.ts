import { readFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { describePythons, oldestAndNewest } from './pythons'
import { WireWorkers, encode, flags, kinds, run, until, type WireWorker } from './wireWorker'

const claimed = { id: 1, flags: flags.keepResult | flags.claim }

let workers = new WireWorkers()
afterEach(async () => {
  await workers.endAll()
  workers = new WireWorkers()
})

/** The next frames' kinds and numbers. */
async function following(worker: WireWorker, count: number): Promise<[string, number][]> {
  const frames: [string, number][] = []
  while (frames.length < count) {
    const { kind, number } = await worker.next()
    frames.push([kind, number])
  }
  return frames
}

describePythons(oldestAndNewest, 'tasks sent ahead to a Python $version worker', ({ path }) => {
  it('run in order, each claimed before it starts', async () => {
    const worker = await workers.start(path, { claims: true })
    worker.define(1, 'add')
    worker.grant(1000)
    worker.write(...Array.from({ length: 1000 }, (_, index) => run(index + 1, [index, 1], claimed)))
    for (let number = 1; number <= 1000; number++)
      expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number, value: number })
    // All that was granted is used up.
    expect(worker.recall()).toBe(0)
  })

  it('are taken back while the first is stuck, and the worker says when it has dropped them', async () => {
    const worker = await workers.start(path, { claims: true })
    worker.define(1, 'say_and_sleep')
    worker.grant(4)
    worker.write(...[1, 2, 3, 4].map((number) => run(number, [0.2], claimed)))
    await worker.printed('running')
    // Three of the four were not claimed.
    expect(worker.recall()).toBe(3)
    worker.write(encode(kinds.recallMark, 0, 0))
    expect(await following(worker, 2)).toEqual([
      ['returnedJson', 1],
      ['recalled', 0],
    ])
    // What comes after the mark runs again, once it is granted.
    worker.grant(5)
    worker.write(run(5, [0], claimed))
    expect(await following(worker, 1)).toEqual([['returnedJson', 5]])
    expect(worker.stdout).toBe('running\nrunning\n')
  })

  it('are dropped up to the mark, also those that need no claim', async () => {
    const worker = await workers.start(path, { claims: true })
    worker.define(1, 'add')
    worker.write(
      run(1, [1], claimed),
      run(2, [2], { id: 1 }),
      run(3, [3], claimed),
      encode(kinds.recallMark, 0, 0),
      run(4, [4], { id: 1 }),
    )
    expect(await following(worker, 2)).toEqual([
      ['recalled', 0],
      ['returnedJson', 4],
    ])
  })

  it('are answered for by one frame for each mark, also when there was nothing to drop', async () => {
    const worker = await workers.start(path, { claims: true })
    worker.define(1, 'add')
    worker.write(encode(kinds.recallMark, 0, 0), encode(kinds.recallMark, 0, 0), run(1, [1], { id: 1 }))
    expect(await following(worker, 3)).toEqual([
      ['recalled', 0],
      ['recalled', 0],
      ['returnedJson', 1],
    ])
  })

  it('can be taken back from a worker that is stopped', async () => {
    const worker = await workers.start(path, { claims: true })
    worker.define(1, 'add')
    worker.grant(2)
    process.kill(worker.pid, 'SIGSTOP')
    worker.write(run(1, [1], claimed), run(2, [2], claimed))
    expect(worker.recall()).toBe(2)
    process.kill(worker.pid, 'SIGCONT')
    worker.write(encode(kinds.recallMark, 0, 0))
    expect(await following(worker, 1)).toEqual([['recalled', 0]])
  })
})

describePythons(oldestAndNewest, 'a soft timeout of a Python $version worker', ({ path }) => {
  it('raises in the middle of the task, which may clean up', async () => {
    const note = workers.file()
    const worker = await workers.start(path)
    worker.define(1, 'soft')
    worker.write(run(7, [note], { id: 1 }))
    await worker.printed('running')
    worker.softTimeout(7)
    const { kind, number, value } = await worker.next()
    expect({ kind, number }).toEqual({ kind: 'threw', number: 7 })
    expect(value).toMatchObject({
      name: 'SoftTimeLimitExceeded',
      message: 'the task ran longer than its soft time limit',
      properties: { module: 'unhang_worker.soft_timeout' },
    })
    expect((value as { stack: string }).stack).toMatch(/tasks\.py", line \d+, in soft\n/)
    expect(readFileSync(note, 'utf8')).toBe('SoftTimeLimitExceeded')
    expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
  })

  it.each(['soft_spinning', 'soft_swallowing', 'soft_async'])('gets through to %s', async (name) => {
    const worker = await workers.start(path)
    worker.define(1, name)
    worker.write(run(7, [], { id: 1 }))
    await worker.printed('running')
    worker.softTimeout(7)
    expect(await worker.next()).toMatchObject({ kind: 'threw', number: 7, value: { name: 'SoftTimeLimitExceeded' } })
    expect(await worker.call('add_later', [1, 2])).toMatchObject({ value: 3 })
  })

  it('can be caught by its class, and the task then returns what it has', async () => {
    const worker = await workers.start(path)
    worker.define(1, 'soft_returning')
    worker.write(run(7, [], { id: 1 }))
    await worker.printed('running')
    worker.softTimeout(7)
    expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number: 7, value: 'cleaned up' })
  })

  it('gets through when it comes with its task, behind others that were sent ahead', async () => {
    const worker = await workers.start(path, { claims: true })
    worker.define(1, 'soft_spinning')
    worker.define(2, 'add')
    worker.grant(2)
    worker.write(
      run(1, [], { id: 1 }),
      run(2, [1], { id: 2, flags: claimed.flags }),
      run(3, [1], { id: 2, flags: claimed.flags }),
      encode(kinds.softTimeout, 1, 0),
    )
    expect(await following(worker, 3)).toEqual([
      ['threw', 1],
      ['returnedJson', 2],
      ['returnedJson', 3],
    ])
  })

  it("of a task that is over, or not yet begun, is nobody's", async () => {
    const worker = await workers.start(path)
    worker.define(1, 'sleep')
    worker.softTimeout(1)
    worker.write(run(1, [0.3], { id: 1 }), run(2, [0.1], { id: 1 }))
    worker.softTimeout(3)
    expect(await following(worker, 2)).toEqual([
      ['returnedJson', 1],
      ['returnedJson', 2],
    ])
    worker.softTimeout(2)
    worker.write(run(3, [0.1], { id: 1 }))
    expect(await following(worker, 1)).toEqual([['returnedJson', 3]])
  })

  it('that comes as its task ends hits that task or none', async () => {
    const worker = await workers.start(path)
    worker.define(1, 'count')
    const rounds = 40
    for (let number = 1; number <= rounds; number++) {
      // About as long as the soft timeout takes to be noticed, so that some come in time and some late.
      worker.write(
        run(2 * number, [0.03 + (number % 10) * 0.004], { id: 1 }),
        encode(kinds.softTimeout, 2 * number, 0),
        run(2 * number + 1, [0], { id: 1 }),
      )
      const first = await worker.next()
      expect(first.number).toBe(2 * number)
      if (first.kind !== 'returnedJson') expect(first.value).toMatchObject({ name: 'SoftTimeLimitExceeded' })
      expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number: 2 * number + 1 })
    }
  })
})

describePythons(oldestAndNewest, 'the memory limit of a Python $version worker', ({ path }) => {
  it('is told before the answer of the task that passed it, and no task starts any more', async () => {
    const worker = await workers.start(path, { claims: true, maxMemoryBytes: 200 * 2 ** 20 })
    worker.define(1, 'leak')
    worker.grant(10)
    worker.write(
      run(1, [20], claimed),
      run(2, [300], claimed),
      run(3, [1], claimed),
      run(4, [1], { id: 1 }),
      encode(kinds.recallMark, 0, 0),
    )
    expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number: 1 })
    const over = await worker.next()
    expect(over.kind).toBe('overMemory')
    expect(over.extra).toBeGreaterThan(300)
    expect(over.extra).toBeLessThan(600)
    expect(await following(worker, 2)).toEqual([
      ['returnedJson', 2],
      ['recalled', 0],
    ])
    worker.close()
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.recall()).toBe(8)
  })

  it('is not passed by a worker that stays below', async () => {
    const worker = await workers.start(path, { maxMemoryBytes: 2 ** 40 })
    for (let round = 0; round < 3; round++) expect((await worker.call('leak', [1])).kind).toBe('returnedJson')
  })
})

describePythons(oldestAndNewest, 'the channel of a Python $version worker', ({ path }) => {
  it('may bring frames in any pieces', async () => {
    const worker = await workers.start(path)
    worker.define(1, 'echo')
    const bytes = Buffer.concat([
      run(1, ['ü'], { id: 1 }),
      run(2, ['x'.repeat(200_000)], { id: 1 }),
      run(3, [3], { id: 1 }),
    ])
    const cuts = [1, 4, 12, 13, 14, 20, 40, 70_000, 200_040, 200_060, bytes.length]
    let start = 0
    for (const end of cuts) {
      worker.process.channel.write(bytes.subarray(start, end))
      await new Promise((resolve) => setImmediate(resolve))
      start = end
    }
    expect([await worker.next(), await worker.next(), await worker.next()]).toMatchObject([
      { value: ['ü'] },
      { value: ['x'.repeat(200_000)] },
      { value: [3] },
    ])
  })

  it('may be read late: answers wait, and none is lost', async () => {
    const worker = await workers.start(path)
    worker.define(1, 'echo')
    worker.process.channel.pause()
    const text = 'x'.repeat(100_000)
    worker.write(...Array.from({ length: 20 }, (_, index) => run(index + 1, [text], { id: 1 })))
    await until(
      () => readFileSync(`/proc/${worker.pid}/wchan`, 'utf8').includes('sock_alloc_send'),
      () => 'a worker that waits to write',
    )
    worker.process.channel.resume()
    for (let number = 1; number <= 20; number++) expect(await worker.next()).toMatchObject({ number, value: [text] })
  })

  it('that is gone altogether ends the worker without a word', async () => {
    const worker = await workers.start(path)
    worker.define(1, 'say_and_sleep')
    worker.write(run(1, [0.2], { id: 1 }))
    await worker.printed('running')
    worker.process.channel.destroy()
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.stderr).toBe('')
  })
})
