import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  defaultLimits,
  PreemptionHandler,
  type OwnProcess,
  type PreemptiblePool,
  type PreemptionEvent,
  type PreemptionOrder,
  type SaveContext,
  type TerminationFields,
} from '../../../src/shutdown'
import { planGrace } from '../../../src/shutdown/termination/budget'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** What happened, in order, with the time since the notice. */
let log: string[]
let events: PreemptionEvent[]
let noticedAt: number
const note = (what: string): void => {
  log.push(`${Math.round(performance.now() - noticedAt)} ${what}`)
}

class FakePool implements PreemptiblePool {
  readonly id = 'pool-1'
  readonly name = 'Work'
  state = 'run'
  meanTaskMs: number | null = null
  held = false
  running: { id: string; label: string; stuck: boolean }[] = []
  orders: PreemptionOrder[] = []
  issues: string[] = []
  hold(): void {
    this.held = true
    note('hold')
  }
  runningTasks() {
    return this.running
  }
  async shutdown(order: PreemptionOrder) {
    this.orders.push(order)
    note('shutdown')
    this.running = []
    this.state = 'ended'
    return Promise.resolve({ issues: this.issues })
  }
  run(label: string, endsAfterMs?: number, stuck = false): this {
    const task = { id: label, label, stuck }
    this.running.push(task)
    if (endsAfterMs !== undefined)
      setTimeout(() => {
        this.running = this.running.filter((one) => one !== task)
      }, endsAfterMs)
    return this
  }
}

class FakeProcess implements OwnProcess {
  exits: number[] = []
  guarded: (number | undefined)[] = []
  readonly listeners = new Set<() => void>()
  onUncaught: (error: unknown) => void = () => undefined
  onSigterm(listener: () => void) {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }
  guard(exitCode: number | undefined, onUncaught: (error: unknown) => void) {
    this.guarded.push(exitCode)
    this.onUncaught = onUncaught
    return () => {
      this.guarded.push(undefined)
    }
  }
  exit(code: number) {
    this.exits.push(code)
    note(`exit ${code}`)
  }
  sigterm() {
    for (const listener of this.listeners) listener()
  }
}

let pool: FakePool
let own: FakeProcess
const saveNoted = ({ occasion }: SaveContext): void => {
  note(`save ${occasion}`)
}
const handlerOf = (termination: TerminationFields, pools: PreemptiblePool[] = [pool]): PreemptionHandler =>
  new PreemptionHandler({
    pools,
    termination: { platform: 'borg', save: saveNoted, ...termination },
    ownProcess: own,
    report: (event) => {
      events.push(event)
    },
  })
const notice = (): void => {
  noticedAt = performance.now()
  own.sigterm()
}
const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms)
}
const kinds = (): string[] => events.map(({ kind }) => kind)

beforeEach(() => {
  log = []
  events = []
  noticedAt = performance.now()
  pool = new FakePool()
  own = new FakeProcess()
})

describe('without a grace period', () => {
  test('no task is started, running ones end, one save, exit', async () => {
    pool.run('short', 300)
    handlerOf({})
    notice()
    await pass(10_000)
    expect(log).toEqual(['0 hold', '300 save final', '300 shutdown', '300 exit 42'])
    expect(kinds()).toEqual(['noticed', 'held', 'saved', 'leaving'])
  })

  test('a task that hangs is cut at the save deadline, through the shutdown core', async () => {
    pool.run('hung')
    handlerOf({})
    notice()
    await pass(20_000)
    expect(log).toEqual(['0 hold', '5000 shutdown', '5000 save final', '5000 exit 42'])
    expect(pool.orders).toEqual([
      {
        kill: false,
        useSigkill: true,
        gracePeriodMs: 200,
        askedBy: 'preemption',
        reason: expect.stringContaining('did not end in time') as string,
      },
    ])
    expect(events).toContainEqual({ kind: 'cut', tasks: ['hung (Work)'] })
  })

  test('tasks that are stuck are not waited for', async () => {
    pool.run('stuck', undefined, true)
    handlerOf({})
    notice()
    await pass(20_000)
    expect(log).toEqual(['0 hold', '0 shutdown', '0 save final', '0 exit 42'])
  })

  test('SIGTERM once more cuts the running tasks now, and a third changes nothing', async () => {
    pool.run('hung')
    handlerOf({
      save: async () => {
        note('save')
        await new Promise((done) => {
          setTimeout(done, 100)
        })
      },
    })
    notice()
    await pass(1000)
    own.sigterm()
    await pass(10)
    own.sigterm()
    await pass(1000)
    expect(log).toEqual(['0 hold', '1000 shutdown', '1000 save', '1100 exit 42'])
    expect(kinds()).toEqual(['noticed', 'held', 'hurried', 'cut', 'ignored', 'saved', 'leaving'])
  })

  test('a save that throws, rejects or hangs does not keep it from leaving', async () => {
    for (const save of [
      () => {
        throw new Error('no disk')
      },
      () => Promise.reject(new Error('no disk')),
      () => new Promise<void>(() => undefined),
    ]) {
      events = []
      own = new FakeProcess()
      handlerOf({ save })
      notice()
      await pass(30_000)
      expect(own.exits).toEqual([42])
      expect(kinds()).toContain('saveFailed')
    }
  })

  test('a save that hangs is told to stop, and is over in time', async () => {
    let aborted: number | undefined
    handlerOf({
      save: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = performance.now() - noticedAt
            reject(new Error('stopped'))
          })
        }),
    })
    notice()
    await pass(30_000)
    expect(aborted).toBe(defaultLimits.saveMs)
    expect(log.at(-1)).toBe(`${defaultLimits.saveMs} exit 42`)
  })

  test('all that can hang together stays below the 30 s that platforms leave', async () => {
    pool.run('hung')
    pool.shutdown = () => new Promise(() => undefined)
    handlerOf({ save: () => new Promise(() => undefined) })
    notice()
    await pass(60_000)
    expect(Number(log.at(-1)?.split(' ')[0])).toBeLessThan(30_000)
    expect(own.exits).toEqual([42])
  })

  test('a pool whose own methods throw keeps nobody from saving and leaving', async () => {
    pool.hold = () => {
      throw new Error('no')
    }
    pool.runningTasks = () => {
      throw new Error('no')
    }
    pool.shutdown = () => {
      throw new Error('no')
    }
    handlerOf({})
    notice()
    await pass(30_000)
    expect(log.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['save final', 'exit 42'])
  })

  test('what could not be ended is told', async () => {
    pool.run('hung')
    pool.issues = ['worker still alive: PoolWorker-1, pid=7']
    handlerOf({})
    notice()
    await pass(20_000)
    expect(events).toContainEqual({ kind: 'issues', issues: pool.issues })
  })
})

describe('with a grace period', () => {
  const gracePeriodMs = 600_000

  test('saves at once, goes on, stops at notice + grace − 6 × mean task time, saves again, exits', async () => {
    pool.meanTaskMs = 10_000
    pool.run('a', 541_000)
    handlerOf({ gracePeriodMs })
    notice()
    await pass(gracePeriodMs)
    expect(log).toEqual(['0 save notice', '540000 hold', '541000 save final', '541000 shutdown', '541000 exit 42'])
    expect(events.at(-1)).toEqual({ kind: 'leaving', exitCode: 42, afterMs: 541_000, leftMs: 59_000 })
  })

  test('keeps time back for the cut and the save when no task has been done, or one hangs', async () => {
    pool.run('hung')
    handlerOf({
      gracePeriodMs,
      save: async ({ occasion }) => {
        note(`save ${occasion}`)
        await new Promise((done) => {
          setTimeout(done, 20_000)
        })
      },
    })
    notice()
    await pass(gracePeriodMs)
    // Twice the first save, and 3 s for the cut.
    expect(log).toEqual(['0 save notice', '557000 hold', '557000 shutdown', '557000 save final', '577000 exit 42'])
  })

  test('follows a mean task time that grows', async () => {
    pool.meanTaskMs = 1000
    setTimeout(() => {
      pool.meanTaskMs = 50_000
    }, 100_000)
    handlerOf({ gracePeriodMs })
    notice()
    await pass(gracePeriodMs)
    expect(log[1]).toBe('300000 hold')
  })

  test('a second SIGTERM ends it, a third cuts', async () => {
    pool.run('hung')
    handlerOf({ gracePeriodMs })
    notice()
    await pass(1000)
    own.sigterm()
    await pass(1000)
    own.sigterm()
    await pass(1000)
    expect(log).toEqual(['0 save notice', '1000 hold', '2000 shutdown', '2000 save final', '2000 exit 42'])
    expect(kinds()).not.toContain('ignored')
  })

  test('a second notice of the other kind is ignored', async () => {
    const handler = handlerOf({ gracePeriodMs })
    notice()
    await pass(1000)
    handler.notify('metadata server x')
    await pass(1000)
    expect(handler.phase).toBe('using')
    expect(events.at(-1)).toEqual({ kind: 'ignored', source: 'metadata server x', phase: 'using' })
  })

  test('a first save that hangs takes a third of it, and the second is made all the same', async () => {
    const limits: number[] = []
    handlerOf({
      gracePeriodMs,
      save: ({ occasion, limitMs }) => {
        limits.push(limitMs)
        return occasion === 'notice' ? new Promise(() => undefined) : undefined
      },
    })
    notice()
    await pass(gracePeriodMs)
    expect(events.filter(({ kind }) => kind === 'saveFailed' || kind === 'saved')).toMatchObject([
      { kind: 'saveFailed', elapsedMs: 200_000 },
      { kind: 'saved', occasion: 'final' },
    ])
    expect(limits[0]).toBe(200_000)
    expect(own.exits).toEqual([42])
  })

  test('a first save that hangs does not keep SIGTERM from being heard', async () => {
    handlerOf({
      gracePeriodMs,
      save: ({ occasion }) => (occasion === 'notice' ? new Promise(() => undefined) : undefined),
    })
    notice()
    await pass(1000)
    own.sigterm()
    await pass(20_000)
    expect(own.exits).toEqual([42])
  })

  test.each([1, 100, 1000, 5000, 60_000, 3_600_000])(
    'everything that hangs is over inside of it, or of half a second: %i ms',
    async (period) => {
      pool.run('hung')
      handlerOf({ gracePeriodMs: period, save: () => new Promise(() => undefined) })
      notice()
      await pass(period + 10_000)
      expect(own.exits).toEqual([42])
      expect(Number(log.at(-1)?.split(' ')[0])).toBeLessThanOrEqual(Math.max(period, 500))
    },
  )
})

describe('a notice from elsewhere', () => {
  test('comes from a function that is asked every second', async () => {
    let asked = 0
    handlerOf({ terminationWatcher: () => ++asked === 5, platform: 'gcp-cpu' })
    noticedAt = performance.now()
    await pass(10_000)
    expect(log).toEqual(['4000 hold', '4000 save final', '4000 shutdown', '4000 exit 143'])
    expect(asked).toBe(5)
  })

  test('is still heard after the function has thrown and hung', async () => {
    let asked = 0
    handlerOf({
      terminationWatcher: () => {
        asked += 1
        if (asked === 1) throw new Error('no network')
        return asked === 2 ? new Promise(() => undefined) : true
      },
    })
    await pass(20_000)
    expect(events.filter(({ kind }) => kind === 'problem')).toHaveLength(2)
    expect(own.exits).toEqual([42])
  })

  test('SIGTERM then means that there is no time left', async () => {
    handlerOf({ platform: 'gcp-gpu', terminationWatcher: () => false })
    await pass(100)
    notice()
    await pass(20_000)
    expect(log).toEqual(['0 hold', '0 save final', '0 shutdown', '0 exit 143'])
  })

  test('a watcher that cannot be started leaves SIGTERM', async () => {
    handlerOf({
      terminationWatcher: {
        watch: () => {
          throw new Error('broken')
        },
      },
    })
    await pass(100)
    expect(events).toMatchObject([{ kind: 'problem' }])
    notice()
    await pass(20_000)
    expect(own.exits).toEqual([42])
  })

  test('a watcher that cannot be stopped keeps nobody from leaving', async () => {
    const handler = handlerOf({
      terminationWatcher: {
        watch: () => () => {
          throw new Error('broken')
        },
      },
    })
    await handler.ready
    notice()
    await pass(20_000)
    expect(own.exits).toEqual([42])
  })
})

describe('leaving', () => {
  test("calls an exit of one's own, and leaves by itself only where that fails", async () => {
    handlerOf({
      exit: ({ source }) => {
        note(`own exit for ${source}`)
      },
    })
    notice()
    await pass(20_000)
    expect(log.at(-1)).toBe('0 own exit for SIGTERM')
    // No exit code of ours, and once it has returned no guard either.
    expect([own.exits, own.guarded]).toEqual([[], [undefined, undefined]])
    expect(own.listeners.size).toBe(0)
    own = new FakeProcess()
    handlerOf({
      exit: () => {
        throw new Error('no')
      },
    })
    notice()
    await pass(20_000)
    expect(own.exits).toEqual([42])
  })

  test('keeps what the program does not catch from ending it before its time', async () => {
    pool.run('hung')
    handlerOf({})
    notice()
    await pass(100)
    expect(own.guarded).toEqual([42])
    own.onUncaught(new Error('the task was lost'))
    await pass(20_000)
    expect(log.at(-1)).toBe('5000 exit 42')
    expect(kinds()).toContain('problem')
  })

  test('ends the pools that are there then', async () => {
    const pools: FakePool[] = []
    new PreemptionHandler({
      pools: () => pools,
      termination: { platform: 'borg' },
      ownProcess: own,
      report: () => undefined,
    })
    pools.push(pool)
    notice()
    await pass(100)
    expect(pool.state).toBe('ended')
  })
})

describe('stop', () => {
  test('watches no more', async () => {
    const handler = handlerOf({
      terminationWatcher: () => {
        note('asked')
        return false
      },
    })
    await pass(1500)
    handler.stop()
    handler.stop()
    await pass(10_000)
    expect(log).toHaveLength(2)
    expect(own.listeners.size).toBe(0)
    handler.notify('SIGTERM')
    await pass(10_000)
    expect([kinds(), own.exits, handler.phase]).toEqual([['ignored'], [], 'stopped'])
  })

  test('does not undo what has begun', async () => {
    const handler = handlerOf({})
    notice()
    handler.stop()
    await pass(10_000)
    expect(own.exits).toEqual([42])
  })
})

describe('the plan of a grace period', () => {
  test.each([
    [3_600_000, 60_000, 1000, { stopAtMs: 3_240_000, cutAtMs: 3_595_000 }],
    [3_600_000, null, 1000, { stopAtMs: 3_595_000, cutAtMs: 3_595_000 }],
    [10_000, 60_000, 100, { stopAtMs: 0, cutAtMs: 6800 }],
    [1000, null, 5000, { stopAtMs: 500, cutAtMs: 500 }],
  ])('of %i ms with a mean of %s and a first save of %i ms', (grace, mean, save, plan) => {
    expect(planGrace(grace, mean, save, defaultLimits)).toEqual(plan)
  })
})
