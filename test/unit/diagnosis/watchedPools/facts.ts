import type {
  JobFacts,
  ProgramExitFacts,
  ProgramPoolFacts,
  ProgramTaskFacts,
  ProgramVerdict,
  ProgramWorkerFacts,
  StackFrameFacts,
  WaitFacts,
} from '../../../../src/diagnosis'
import { judgeProgramPool, readersAmong } from '../../../../src/diagnosis'

/** A healthy pool in the middle of `map(run, 12 items)`, from which each test departs. */
export function pool(
  facts: Partial<Omit<ProgramPoolFacts, 'parent'>> & { readonly parent?: Partial<ProgramPoolFacts['parent']> } = {},
): ProgramPoolFacts {
  const { parent, ...rest } = facts
  return {
    pool: 'train.py:42',
    library: 'multiprocessing',
    startMethod: 'fork',
    state: 'run',
    stateMs: 60_000,
    processes: 4,
    poolAgeMs: 60_000,
    threads: { workers: true, tasks: true, results: true },
    locks: { tasks: 'taken', results: 'free' },
    taskPipeBytes: 0,
    resultPipeBytes: 0,
    queued: 0,
    jobs: [job()],
    callback: null,
    unchangedMs: 10_000,
    workers: [],
    unseenWorkers: 0,
    unlistedLosses: 0,
    exitsBeforeReady: [],
    readers: readersAmong(facts.workers ?? []),
    stuckAfterMs: 30_000,
    ...rest,
    parent: {
      pid: 4700,
      state: 'sleeping',
      stoppedMs: parent?.state === 'stopped' ? 10_000 : 0,
      answers: true,
      waitsIn: 'train.py:42 (<module>), in Pool.map',
      quietMs: 10_000,
      sigterm: 'default',
      wait: null,
      threadWaits: [],
      joins: null,
      hasThreads: false,
      standsStillMs: 0,
      ...parent,
    },
  }
}

export function job(facts: Partial<JobFacts> = {}): JobFacts {
  return { job: 0, call: 'map', function: 'run', total: 12, left: 1, ...facts }
}

/** `ForkPoolWorker-<number>`, idle for ten seconds, next in line for the task queue. */
export function worker(number: number, facts: Partial<ProgramWorkerFacts> = {}): ProgramWorkerFacts {
  return {
    name: `ForkPoolWorker-${number}`,
    pid: 4710 + number,
    phase: 'idle',
    state: 'sleeping',
    stateSeenTimes: 10,
    stoppedMs: facts.state === 'stopped' ? 10_000 : 0,
    ageMs: 20_000,
    threads: 1,
    parentThreadsAtStart: 1,
    watchedMs: 10_000,
    cpuMs: 0,
    quietMs: 10_000,
    wait: lockWait(),
    threadWaits: [],
    holds: [],
    sigterm: 'default',
    sigtermPending: false,
    sigtermSentMs: null,
    task: null,
    stack: null,
    stackIsOfWait: true,
    exit: null,
    hasPools: false,
    unpicklableResults: 0,
    waitsMs: 10_000,
    aloneMs: 10_000,
    feederWaitsMs: facts.threadWaits?.some(({ kind }) => kind === 'pipe-write') === true ? 10_000 : 0,
    standsStillMs: 0,
    forked: null,
    ...facts,
  }
}

/** The idle worker that holds the lock and reads. */
export function reader(number: number, facts: Partial<ProgramWorkerFacts> = {}): ProgramWorkerFacts {
  return worker(number, {
    holds: ['tasks'],
    wait: wait('pipe-read', { descriptor: 3, target: 'pipe:[77]', wchan: 'anon_pipe_read' }),
    ...facts,
  })
}

/** One that works on `run(<number>)`. */
export function busy(number: number, facts: Partial<ProgramWorkerFacts> = {}): ProgramWorkerFacts {
  return worker(number, {
    phase: 'running',
    task: task(number),
    wait: wait('other'),
    state: 'running',
    cpuMs: 9000,
    quietMs: 0,
    ...facts,
  })
}

/** One that has exited, by default with `run(<number>)` in flight. */
export function dead(
  number: number,
  exit: Partial<ProgramExitFacts> = {},
  facts: Partial<ProgramWorkerFacts> = {},
): ProgramWorkerFacts {
  return worker(number, {
    phase: 'exited',
    state: 'unknown',
    task: task(number),
    wait: null,
    quietMs: 0,
    threads: null,
    sigterm: null,
    exit: exited(exit),
    ...facts,
  })
}

export function exited(facts: Partial<ProgramExitFacts> = {}): ProgramExitFacts {
  return {
    exitCode: 1,
    signal: null,
    agoMs: 1500,
    answeredAfterMs: facts.agoMs ?? 1500,
    livedMs: 9000,
    endedByUs: null,
    oomKills: 0,
    uncollected: false,
    ...facts,
  }
}

export const killed = { exitCode: null, signal: 'SIGKILL' } as const

export function task(index: number, facts: Partial<ProgramTaskFacts> = {}): ProgramTaskFacts {
  return {
    id: `${index}`,
    job: 0,
    index,
    label: `run(${index})`,
    items: 1,
    runningMs: 2100,
    sending: false,
    awaited: true,
    rescued: false,
    retriable: true,
    ...facts,
  }
}

export function wait(kind: WaitFacts['kind'], facts: Partial<WaitFacts> = {}): WaitFacts {
  return {
    kind,
    wchan: '',
    address: null,
    isPrivate: false,
    timed: false,
    descriptor: null,
    target: null,
    child: null,
    ...facts,
  }
}

/** In line for a lock that processes share. */
export function lockWait(address = '0x7f3770bf5000'): WaitFacts {
  return wait('futex', { wchan: 'futex_do_wait', address })
}

/** A lock of the process's own. */
export function ownLockWait(facts: Partial<WaitFacts> = {}): WaitFacts {
  return wait('futex', { wchan: 'futex_do_wait', address: '0x55e0371a5300', isPrivate: true, ...facts })
}

export function frame(file: string, name: string, line = 768): StackFrameFacts {
  return { file, line, function: name }
}

export function codes(facts: ProgramPoolFacts): string[] {
  return judgeProgramPool(facts).map(({ code }) => code)
}

/** The only verdict with this code; throws for none or several. */
export function verdict(facts: ProgramPoolFacts, code: ProgramVerdict['code']): ProgramVerdict {
  const found = judgeProgramPool(facts).filter((candidate) => candidate.code === code)
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} verdicts ${code} among ${codes(facts).join(', ') || 'none'}`)
  return found[0]
}

export function evidence(of: ProgramVerdict): string {
  return of.evidence.map(({ what, value }) => `${what}: ${value}`).join('\n')
}
