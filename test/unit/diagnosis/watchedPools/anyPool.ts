import fc from 'fast-check'
import type { ProgramPoolFacts, ProgramWorkerFacts } from '../../../../src/diagnosis'

const ms = fc.constantFrom(0, 10, 299, 500, 999, 1000, 1999, 2000, 5000, 15_000, 30_000, 90_000)
const small = fc.integer({ min: 0, max: 3 })
const maybe = <Value>(of: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(of, { freq: 4 })
const processState = fc.constantFrom(
  'running',
  'sleeping',
  'sleeping',
  'uninterruptible',
  'stopped',
  'zombie',
  'idle',
  'unknown',
)
const lock = fc.constantFrom('free', 'taken', null)
const sigterm = fc.constantFrom('default', 'ignored', 'caught', 'blocked', null)

const waits = fc.record({
  kind: fc.constantFrom(
    'futex',
    'futex',
    'pipe-read',
    'pipe-write',
    'socket-read',
    'socket-write',
    'poll',
    'child',
    'sleep',
    'running',
    'other',
  ),
  wchan: fc.constantFrom('', 'futex_do_wait'),
  address: fc.constantFrom('0x1', '0x2', null),
  isPrivate: fc.boolean(),
  timed: fc.boolean(),
  descriptor: maybe(small),
  target: maybe(fc.constant('pipe:[1]')),
  child: maybe(fc.constantFrom(4711, 4712)),
})
const tasks = fc.record({
  id: fc.constantFrom('1', '2', '3.4'),
  job: small,
  index: small,
  label: fc.constantFrom('', 'run(1)', 'task 1'),
  items: small,
  runningMs: ms,
  sending: fc.boolean(),
  awaited: maybe(fc.boolean()),
  rescued: fc.boolean(),
  retriable: fc.boolean(),
})
const exits = fc.record({
  exitCode: maybe(small),
  signal: maybe(fc.constantFrom('SIGKILL', 'SIGTERM', 'SIGSEGV')),
  agoMs: ms,
  answeredAfterMs: maybe(ms),
  livedMs: ms,
  endedByUs: maybe(fc.constant({ askedBy: 'user', reason: 'Kill' })),
  oomKills: maybe(small),
  uncollected: fc.boolean(),
})
const frames = fc.array(
  fc.record({
    file: fc.constantFrom('/l/multiprocessing/pool.py', '/l/concurrent/futures/_base.py', 'train.py'),
    line: small,
    function: fc.constantFrom('get', 'result', 'run'),
  }),
  { maxLength: 3 },
)
const workers: fc.Arbitrary<ProgramWorkerFacts> = fc.record({
  name: fc.constant(''),
  pid: fc.constant(0),
  phase: fc.constantFrom('starting', 'idle', 'idle', 'running', 'sending', 'exited', 'unknown'),
  state: processState,
  stateSeenTimes: small,
  stoppedMs: ms,
  ageMs: ms,
  threads: maybe(small),
  parentThreadsAtStart: maybe(small),
  watchedMs: ms,
  cpuMs: ms,
  quietMs: ms,
  wait: maybe(waits),
  threadWaits: fc.array(waits, { maxLength: 2 }),
  holds: fc.subarray(['tasks', 'results'] as const),
  sigterm,
  sigtermPending: fc.boolean(),
  sigtermSentMs: maybe(ms),
  task: maybe(tasks),
  stack: maybe(frames),
  stackIsOfWait: fc.boolean(),
  exit: maybe(exits),
  hasPools: fc.boolean(),
  unpicklableResults: small,
  waitsMs: ms,
  aloneMs: ms,
  feederWaitsMs: ms,
  standsStillMs: ms,
  forked: maybe(fc.boolean()),
})
/** Any facts of a pool, even combinations that no real pool has. */
export const anyPool: fc.Arbitrary<ProgramPoolFacts> = fc.record({
  pool: fc.constant('train.py:42'),
  library: fc.constantFrom(
    'multiprocessing',
    'multiprocessing',
    'concurrent.futures',
    'billiard',
    'loky',
    'processes',
    'unknown',
  ),
  startMethod: fc.constantFrom('fork', 'spawn', null),
  state: fc.constantFrom('init', 'run', 'run', 'run', 'close', 'terminate', 'broken', 'ended'),
  stateMs: ms,
  processes: maybe(small),
  poolAgeMs: maybe(ms),
  parent: fc.record({
    pid: fc.constant(4700),
    state: processState,
    stoppedMs: ms,
    answers: fc.boolean(),
    waitsIn: fc.constantFrom(
      null,
      'train.py:42, in Pool.map',
      'train.py:42, in Pool.terminate',
      'util.py:360 (_exit_function), in Queue._finalize_join',
    ),
    quietMs: ms,
    sigterm,
    wait: maybe(waits),
    threadWaits: fc.array(waits, { maxLength: 2 }),
    joins: maybe(fc.constantFrom(4711, 4712)),
    hasThreads: maybe(fc.boolean()),
    standsStillMs: ms,
  }),
  threads: maybe(fc.record({ workers: maybe(fc.boolean()), tasks: maybe(fc.boolean()), results: maybe(fc.boolean()) })),
  locks: fc.record({ tasks: lock, results: lock }),
  taskPipeBytes: maybe(small),
  resultPipeBytes: maybe(small),
  queued: maybe(small),
  jobs: fc.array(
    fc.record({
      job: small,
      call: fc.constantFrom('map', 'imap', 'submit'),
      function: fc.constant('run'),
      total: maybe(fc.integer({ min: 3, max: 9 })),
      left: maybe(small),
    }),
    { maxLength: 3 },
  ),
  callback: maybe(
    fc.record({
      at: fc.constantFrom('train.py:12 (on_done), in Pool.map', 'put'),
      waitsForOwnPool: fc.boolean(),
      quietMs: ms,
    }),
  ),
  unchangedMs: ms,
  workers: fc
    .array(workers, { maxLength: 8 })
    .map((all) => all.map((one, index) => ({ ...one, name: `ForkPoolWorker-${index + 1}`, pid: 4711 + index }))),
  unseenWorkers: small,
  unlistedLosses: small,
  exitsBeforeReady: fc.array(fc.constantFrom('exit 1', 'exit -15 (SIGTERM)'), { maxLength: 9 }),
  readers: fc.record({ count: small, quietMs: ms }),
  stuckAfterMs: fc.constantFrom(1000, 30_000),
})
