import { describe, expect, it } from 'vitest'
import { ImapIterator } from '../../../src/core/calls/imap'
import type { ImapContext } from '../../../src/core/calls/imap'
import { chunksOf, ItemResults } from '../../../src/core/tasks/itemChunks'
import { checkChunkSize, defaultChunkSize, MapCollector } from '../../../src/core/tasks/map'
import { Task, taskDone, taskFailed } from '../../../src/core/tasks/task'
import type { TaskOwner } from '../../../src/core/tasks/task'

let number = 0
const task = (index: number): Task => new Task(++number, index, null, [], null, 'task', 0)

describe('map', () => {
  it.each([
    [0, 2, 1],
    [1, 2, 1],
    [8, 2, 1],
    [9, 2, 2],
    [1_000_000, 2, 125_000],
    [100, 4, 7],
  ])('of %i items on %i workers has chunks of %i, as in CPython', (items, processes, size) => {
    expect(defaultChunkSize(items, processes)).toBe(size)
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses a chunk size of %s', (size) => {
    expect(() => {
      checkChunkSize(size)
    }).toThrow(RangeError)
  })

  it('puts values together in the order of the items, in whatever order the chunks end', () => {
    const settled: unknown[] = []
    const collector = new MapCollector(3, (...outcome) => settled.push(outcome))
    collector[taskDone](task(2), [5])
    collector[taskDone](task(0), [1, 2])
    expect(settled).toEqual([])
    collector[taskDone](task(1), [3, 4])
    expect(settled).toEqual([['ok', [1, 2, 3, 4, 5]]])
  })

  it('keeps values that are lists as they are', () => {
    const settled: unknown[] = []
    const collector = new MapCollector(2, (...outcome) => settled.push(outcome))
    collector[taskDone](task(0), [[1], [2]])
    collector[taskDone](task(1), [[3]])
    expect(settled).toEqual([['ok', [[1], [2], [3]]]])
  })

  it('fails with the first error, but only once every chunk has ended', () => {
    const settled: unknown[] = []
    const collector = new MapCollector(3, (...outcome) => settled.push(outcome))
    collector[taskFailed](task(1), 'first')
    collector[taskFailed](task(0), 'second')
    expect(settled).toEqual([])
    collector[taskDone](task(2), [5])
    expect(settled).toEqual([['failed', 'first']])
  })

  it('of nothing is done at once', () => {
    const settled: unknown[] = []
    new MapCollector(0, (...outcome) => settled.push(outcome))
    expect(settled).toEqual([['ok', []]])
  })
})

/** Hands chunks in without a pool; the test ends them. */
class Bench implements ImapContext {
  readonly #size: number

  readonly chunks: { items: readonly unknown[]; task: Task; owner: TaskOwner }[] = []
  cancelled: readonly Task[] = []
  over = 0
  constructor(size: number) {
    this.#size = size
  }
  isClosing = false
  window(): number {
    return this.#size
  }
  closing(): boolean {
    return this.isClosing
  }
  handIn(items: readonly unknown[], index: number, _first: number, owner: TaskOwner): Task {
    const made = task(index)
    this.chunks.push({ items, task: made, owner })
    return made
  }
  cancel(tasks: readonly Task[]): Promise<void> {
    this.cancelled = tasks
    return Promise.resolve()
  }
  ended(): void {
    this.over++
  }
  done(at: number): void {
    const { items, task, owner } = this.chunks[at]!
    owner[taskDone](
      task,
      items.map((item) => `did ${item as string}`),
    )
  }
  fail(at: number, error: unknown): void {
    const { task, owner } = this.chunks[at]!
    owner[taskFailed](task, error)
  }
}

function* upTo(last: number, seen: number[] = []): Generator<number> {
  for (let n = 0; n < last; n++) {
    seen.push(n)
    yield n
  }
}

describe('imap', () => {
  it('reads the iterable no further than its window, and on as results are taken', async () => {
    const bench = new Bench(3)
    const seen: number[] = []
    const results = new ImapIterator(bench, upTo(100, seen), {}, true)
    results.goOn()
    expect(seen).toEqual([0, 1, 2])
    bench.done(0)
    bench.done(1)
    bench.done(2)
    expect(seen).toEqual([0, 1, 2])
    expect(await results.next()).toEqual({ done: false, value: 'did 0' })
    expect(seen).toEqual([0, 1, 2, 3])
  })

  it(
    'of a pool that is closed reads on whether results are taken or not, but never more than its ' + 'window at a time',
    () => {
      const bench = new Bench(3)
      bench.isClosing = true
      const seen: number[] = []
      const results = new ImapIterator(bench, upTo(5, seen), {}, true)
      results.goOn()
      expect(seen).toEqual([0, 1, 2])
      for (const at of [0, 1, 2, 3, 4]) bench.done(at)
      expect(seen).toEqual([0, 1, 2, 3, 4])
      expect(bench.over).toBe(1)
    },
  )

  it('keeps the order of the items, imapUnordered that of the ends', async () => {
    for (const [ordered, expected] of [
      [true, ['did 0', 'did 1']],
      [false, ['did 1', 'did 0']],
    ] as const) {
      const bench = new Bench(5)
      const results = new ImapIterator(bench, upTo(2), {}, ordered)
      results.goOn()
      bench.done(1)
      bench.done(0)
      expect([await results.next(), await results.next(), await results.next()].map(({ value }) => value)).toEqual([
        ...expected,
        undefined,
      ])
      expect(bench.over).toBe(1)
    }
  })

  it('throws an error at its place, and goes on after it', async () => {
    const bench = new Bench(5)
    const results = new ImapIterator(bench, upTo(3), {}, true)
    results.goOn()
    bench.done(0)
    bench.fail(1, new RangeError('one'))
    bench.done(2)
    expect((await results.next()).value).toBe('did 0')
    await expect(results.next()).rejects.toThrow('one')
    expect((await results.next()).value).toBe('did 2')
    expect((await results.next()).done).toBe(true)
  })

  it('tells what the iterable throws after all results before it', async () => {
    const bench = new Bench(5)
    const results = new ImapIterator(
      bench,
      (function* () {
        yield 'a'
        throw new Error('no more')
      })(),
      {},
      true,
    )
    results.goOn()
    bench.done(0)
    expect((await results.next()).value).toBe('did a')
    await expect(results.next()).rejects.toThrow('no more')
    expect((await results.next()).done).toBe(true)
  })

  it('cancels what is on its way when the loop is left, and closes the iterable', async () => {
    const bench = new Bench(3)
    let closed = false
    const results = new ImapIterator(
      bench,
      (function* () {
        try {
          for (;;) yield 1
        } finally {
          closed = true
        }
      })(),
      {},
      true,
    )
    results.goOn()
    bench.done(0)
    for await (const result of results) {
      expect(result).toBe('did 1')
      break
    }
    expect(closed).toBe(true)
    expect(bench.cancelled).toEqual(
      [bench.chunks[1]!.task, bench.chunks[2]!.task, bench.chunks[3]?.task].filter(Boolean),
    )
    expect((await results.next()).done).toBe(true)
  })

  it('serves several calls of next() in their order', async () => {
    const bench = new Bench(5)
    const results = new ImapIterator(bench, upTo(3), {}, true)
    results.goOn()
    const four = [results.next(), results.next(), results.next(), results.next()]
    for (const at of [2, 0, 1]) bench.done(at)
    expect((await Promise.all(four)).map(({ value }) => value)).toEqual(['did 0', 'did 1', 'did 2', undefined])
  })

  it('reads async iterables, in chunks', async () => {
    const bench = new Bench(5)
    const results = new ImapIterator(
      bench,
      (async function* () {
        for (const n of [1, 2, 3]) {
          await Promise.resolve()
          yield n
        }
      })(),
      { chunkSize: 2 },
      true,
    )
    results.goOn()
    const all = (async () => {
      const values: unknown[] = []
      for await (const value of results) values.push(value)
      return values
    })()
    while (bench.over === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(bench.chunks.map(({ items }) => items)).toEqual([[1, 2], [3]])
    bench.done(1)
    bench.done(0)
    expect(await all).toEqual(['did 1', 'did 2', 'did 3'])
  })

  it('ends with an error when its pool ends while it waits for the iterable', async () => {
    const results = new ImapIterator(
      new Bench(5),
      (async function* () {
        await new Promise(() => undefined)
        yield 1
      })(),
      {},
      true,
    )
    results.goOn()
    const waiting = results.next()
    results.abort(new Error('the pool was ended'))
    await expect(waiting).rejects.toThrow('the pool was ended')
  })
})

describe('items in chunks', () => {
  it('are lists of that size, the last one shorter', () => {
    expect([...chunksOf([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]])
    expect([...chunksOf([], 2)]).toEqual([])
  })

  it('tell the value of each item with its own index', () => {
    const seen: unknown[] = []
    const results = new ItemResults(3, (index, value) => seen.push([index, value]))
    results[taskDone](task(2), ['a', 'b'])
    expect(seen).toEqual([
      [6, 'a'],
      [7, 'b'],
    ])
  })
})
