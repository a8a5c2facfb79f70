import fc from 'fast-check'

/** What a task does; see test/fixtures/properties. */
export type Kind =
  | 'quick'
  | 'sleep'
  | 'spin'
  | 'throw'
  | 'print'
  | 'printAndStay'
  | 'big'
  | 'unsendable'
  | 'die'
  | 'exit'
  | 'crash'
  | 'never'
  | 'spinForever'
  | 'ignoreTerm'
  | 'grow'

/** These never end by themselves. */
export const endless: ReadonlySet<Kind> = new Set<Kind>(['never', 'spinForever', 'printAndStay'])
/** These take their worker with them. */
export const deadly: ReadonlySet<Kind> = new Set<Kind>(['die', 'exit', 'crash'])

export interface Work {
  readonly kind: Kind
  readonly value: number
  readonly fn: 'work' | 'other' | 'chatty'
}

/** One thing that happens to a pool. `at` and the like choose among what is there at that moment. */
export type Step =
  | { readonly do: 'apply'; readonly works: readonly Work[] }
  | { readonly do: 'burst'; readonly count: number; readonly among: Work | null }
  | {
      readonly do: 'map' | 'imap' | 'imapUnordered' | 'items'
      readonly count: number
      readonly chunkSize: number
      readonly among: Work | null
      readonly leaveAfter: number
    }
  | { readonly do: 'cancel' | 'killTask'; readonly at: number; readonly count: number }
  | {
      readonly do: 'killWorker' | 'terminateWorker' | 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'
      readonly at: number
    }
  | { readonly do: 'resize'; readonly processes: number }
  | { readonly do: 'hold' | 'resume' }
  | { readonly do: 'wait' | 'block'; readonly ms: number }

export interface Ending {
  readonly do: 'close' | 'terminate' | 'kill'
  /** Called again, and others beside it. */
  readonly twice: boolean
  readonly gracePeriodMs: number
}

export interface PoolShape {
  readonly processes: number
  readonly maxTasksPerChild: number | undefined
  readonly retries: number
  readonly timeoutMs: number | undefined
  readonly softTimeoutMs: number | undefined
  readonly maxQueued: number | undefined
  readonly onFailure: 'continue' | 'stop'
  readonly maxMemoryMib: number | undefined
  readonly idleTimeoutMs: number | undefined
  /** Every so many starts fail in the initializer. */
  readonly failingStarts: number | undefined
}

export interface Plan {
  readonly shape: PoolShape
  /** First it learns how short the tasks are: only then are they sent ahead. */
  readonly warm: boolean
  readonly steps: readonly Step[]
  readonly ending: Ending
}

/** Mostly not: an option that changes little is tried once in `oneIn` pools. */
const rarely = <T>(value: fc.Arbitrary<T>, oneIn = 5): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

const kinds: fc.Arbitrary<Kind> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Kind>('quick') },
  { weight: 6, arbitrary: fc.constantFrom<Kind>('sleep', 'spin', 'throw') },
  { weight: 4, arbitrary: fc.constantFrom<Kind>('print', 'big', 'unsendable', 'grow') },
  { weight: 4, arbitrary: fc.constantFrom<Kind>('die', 'exit', 'crash') },
  { weight: 3, arbitrary: fc.constantFrom<Kind>('never', 'spinForever', 'printAndStay', 'ignoreTerm') },
)
const work: fc.Arbitrary<Work> = kinds.chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    value:
      kind === 'big'
        ? fc.constantFrom(10, 5000, 100_000, 400_000)
        : kind === 'grow'
          ? fc.constant(2 ** 20)
          : fc.integer({ min: 0, max: 12 }),
    // One that prints changes how its function is treated for good: mostly another one's.
    fn:
      kind === 'print' || kind === 'printAndStay'
        ? fc.constantFrom<Work['fn']>('chatty', 'chatty', 'work')
        : fc.constantFrom<Work['fn']>('work', 'work', 'other', 'chatty'),
  }),
)
const among = fc.option(work, { nil: null, freq: 2 })

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('apply' as const), works: fc.array(work, { minLength: 1, maxLength: 6 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('burst' as const), count: fc.integer({ min: 1, max: 250 }), among }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('map' as const, 'imap' as const, 'imapUnordered' as const, 'items' as const),
      count: fc.integer({ min: 0, max: 40 }),
      chunkSize: fc.integer({ min: 1, max: 7 }),
      among,
      leaveAfter: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 10 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('cancel' as const, 'cancel' as const, 'killTask' as const),
      at: fc.nat(1000),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'killWorker' as const,
        'terminateWorker' as const,
        'SIGKILL' as const,
        'SIGKILL' as const,
        'SIGTERM' as const,
        'SIGSTOP' as const,
        'SIGCONT' as const,
      ),
      at: fc.nat(7),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('resize' as const), processes: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'resume' as const, 'resume' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('wait' as const, 'wait' as const, 'block' as const),
      ms: fc.integer({ min: 0, max: 15 }),
    }),
  },
)

/** A pool, what happens to it, and how it ends. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  shape: fc.record({
    processes: fc.integer({ min: 1, max: 3 }),
    maxTasksPerChild: rarely(fc.integer({ min: 6, max: 60 })),
    retries: fc.constantFrom(0, 0, 0, 2),
    timeoutMs: rarely(fc.integer({ min: 60, max: 200 })),
    softTimeoutMs: rarely(fc.integer({ min: 20, max: 50 }), 5),
    maxQueued: rarely(fc.integer({ min: 10, max: 200 }), 5),
    onFailure: fc.constantFrom<PoolShape['onFailure']>(
      'continue',
      'continue',
      'continue',
      'continue',
      'continue',
      'stop',
    ),
    maxMemoryMib: rarely(fc.constantFrom(75, 100)),
    idleTimeoutMs: rarely(fc.integer({ min: 1, max: 100 }), 6),
    failingStarts: rarely(fc.integer({ min: 3, max: 4 })),
  }),
  warm: fc.constantFrom(true, true, true, true, false),
  steps: fc.array(step, { minLength: 3, maxLength: 25 }),
  ending: fc.record({
    do: fc.constantFrom('close', 'close', 'terminate', 'kill'),
    twice: fc.boolean(),
    gracePeriodMs: fc.constantFrom(0, 20, 100),
  }),
})
