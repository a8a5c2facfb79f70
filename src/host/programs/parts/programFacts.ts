import {
  crashLoopWindowMs,
  exitNotation,
  type ParentFacts,
  type ProgramPoolFacts,
  type ProgramWorkerFacts,
} from '../../../diagnosis'
import type { RecordedProcess } from '../../../runtimes'
import type { Observed, ObservedPool } from '../observers/observerMessages'
import type { ParentView } from '../members/parentView'
import type { ProgramMember } from '../members/programMember'

/** Exits that matter to a rule for their own sake are this young. */
const recentExitMs = 10_000
/** SIGTERM is delivered in microseconds; who is still there after this has survived it. */
const survivedAfterMs = 200
/** The observer lists so many calls; more than that, and a call that is not in the list may wait all the same. */
const listedJobs = 100

/** Who may read what others write is known when the facts of a whole program are together: `readersAmong()`. */
const noReaders = { count: 0, quietMs: 0 }

/**
 * What is known of a pool inside a program, for the rules. `makers`: pids of processes that have pools of their own;
 * `member`: the process that made this one.
 */
export function poolFacts(
  pool: {
    readonly name: string
    readonly observed: ObservedPool
    readonly parent: ParentView
    readonly stateMs: number
    readonly since: number
    unchangedMs(now: number): number
    callbackQuietMs(now: number): number
  },
  members: readonly ProgramMember[],
  settings: {
    readonly stuckAfterMs: number
    readonly parentState: ProgramPoolFacts['parent']['state']
    readonly makers: ReadonlySet<number>
    readonly unlistedLosses: number
    readonly member: ProgramMember | undefined
  },
  now: number,
): ProgramPoolFacts {
  const { observed, parent } = pool
  return {
    pool: pool.name,
    library: observed.library,
    startMethod: observed.startMethod,
    state: observed.state,
    stateMs: pool.stateMs,
    processes: observed.processes,
    poolAgeMs: now - pool.since,
    parent: {
      pid: parent.pid,
      state: settings.parentState,
      answers: parent.answers,
      quietMs: parent.movement.quietMs(now),
      sigterm: parent.sigterm,
      standsStillMs: 0,
      ...parentWaits(settings.member, parent),
    },
    threads: observed.threads,
    locks: observed.locks,
    taskPipeBytes: observed.taskPipeBytes,
    resultPipeBytes: observed.resultPipeBytes,
    queued: observed.queued,
    jobs: observed.jobs.map(({ job, call, function: name, total, left }) => ({
      job,
      call,
      function: name,
      total,
      left,
    })),
    callback: callbackFacts(pool, now),
    unchangedMs: pool.unchangedMs(now),
    workers: members
      .filter((member) => matters(member, now))
      .map((member) => workerFacts(member, pool, settings.makers, now)),
    unseenWorkers: unseen(observed, members),
    unlistedLosses: settings.unlistedLosses,
    exitsBeforeReady: exitsBeforeReady(members, parent, now),
    readers: noReaders,
    stuckAfterMs: settings.stuckAfterMs,
  }
}

/**
 * What is known of processes that no observer tells of: those of an attached program, plain Processes, children of a
 * Node program.
 */
export function processFacts(
  name: string,
  library: 'processes' | 'unknown',
  parent: ProgramPoolFacts['parent'],
  members: readonly ProgramMember[],
  stuckAfterMs: number,
  now: number,
): ProgramPoolFacts {
  return {
    pool: name,
    library,
    startMethod: null,
    state: 'run',
    stateMs: 0,
    processes: null,
    poolAgeMs: null,
    parent,
    threads: null,
    locks: { tasks: null, results: null },
    taskPipeBytes: null,
    resultPipeBytes: null,
    queued: null,
    jobs: [],
    callback: null,
    unchangedMs: 0,
    // What a process left undone that ended long ago is what the others may still wait for.
    workers: members
      .filter((member) => matters(member, now) || (parent.standsStillMs > 0 && endedBadly(member)))
      .map((member) => workerFacts(member, undefined, new Set(), now)),
    unseenWorkers: 0,
    unlistedLosses: 0,
    exitsBeforeReady: [],
    readers: noReaders,
    stuckAfterMs,
  }
}

/** Where a process that has pools or processes of its own waits: by its observer, and by the kernel. */
export function parentWaits(
  member: ProgramMember | undefined,
  view: ParentView | undefined,
): Pick<ParentFacts, 'stoppedMs' | 'waitsIn' | 'wait' | 'threadWaits' | 'joins' | 'hasThreads'> {
  const at = view?.observed?.waitsIn ?? null
  return {
    stoppedMs: member?.standstill.stoppedMs ?? 0,
    waitsIn: waitsIn(at),
    wait: member?.wait ?? null,
    threadWaits: member?.threadWaits ?? [],
    joins: member?.wait?.child ?? at?.process ?? null,
    hasThreads: at?.threads ?? (member?.threads === 1 ? false : null),
  }
}

function callbackFacts(
  pool: { readonly observed: ObservedPool; callbackQuietMs(now: number): number },
  now: number,
): ProgramPoolFacts['callback'] {
  const { callback } = pool.observed
  const quietMs = pool.callbackQuietMs(now)
  return (
    callback && {
      at: callback.line === 0 ? callback.function : placeInWords(callback),
      waitsForOwnPool: callback.own,
      quietMs,
    }
  )
}

/** Where the main thread waits for a pool or a process, as evidence. */
function waitsIn(at: Observed['waitsIn']): string | null {
  return at && placeInWords(at)
}

/** `train.py:42 (<module>), in Pool.map`. */
function placeInWords({
  file,
  line,
  function: name,
  call,
}: {
  readonly file: string
  readonly line: number
  readonly function: string
  readonly call: string | null
}): string {
  return `${file.slice(file.lastIndexOf('/') + 1)}:${line} (${name})${call === null ? '' : `, in ${call}`}`
}

function matters(member: ProgramMember, now: number): boolean {
  const { exit, recorded, uncollected } = member
  return (
    exit === undefined ||
    now - exit.steadyAt < recentExitMs ||
    uncollected ||
    member.hasLostTask ||
    (recorded?.holds.length ?? 0) > 0
  )
}

/** A pool may start workers in a way of its own, past its observer. */
function unseen({ pids }: ObservedPool, members: readonly ProgramMember[]): number {
  const seen = new Set(members.map(({ pid }) => pid))
  return pids.filter((pid) => !seen.has(pid)).length
}

function endedBadly({ exit }: ProgramMember): boolean {
  return exit !== undefined && (exit.signal !== null || (exit.exitCode ?? 0) !== 0)
}

function workerFacts(
  member: ProgramMember,
  pool: { observed: ObservedPool; parent: ParentView } | undefined,
  makers: ReadonlySet<number>,
  now: number,
): ProgramWorkerFacts {
  const { recorded, exit, movement } = member
  return {
    name: member.name,
    pid: member.pid,
    phase: phaseOf(member),
    state: exit ? 'unknown' : member.state,
    stateSeenTimes: member.stateSeenTimes,
    stoppedMs: member.standstill.stoppedMs,
    ageMs: now - member.since,
    threads: member.threads,
    parentThreadsAtStart: recorded?.parentThreads ?? null,
    watchedMs: movement.watchedMs(now),
    cpuMs: movement.cpuMs,
    quietMs: exit ? 0 : movement.quietMs(now),
    wait: exit ? null : member.wait,
    threadWaits: exit ? [] : member.threadWaits,
    waitsMs: exit ? 0 : member.standstill.waitsMs,
    aloneMs: exit ? 0 : member.standstill.aloneMs,
    feederWaitsMs: exit ? 0 : member.feeder.waitsMs,
    standsStillMs: exit ? 0 : standsStillMs(member, now),
    forked: member.forked,
    holds: recorded?.holds ?? [],
    sigterm: exit ? null : member.sigterm,
    sigtermPending: !exit && member.sigtermPending,
    sigtermSentMs:
      exit || member.sigtermSentAt === null || now - member.sigtermSentAt <= survivedAfterMs
        ? null
        : now - member.sigtermSentAt,
    task: taskFacts(member, pool, now),
    // Where a task was is worth a word, although it has moved since; of a process without one it tells nothing.
    stack: (member.hasTask ? member.stackOf : member.stackCounter) === recorded?.counter ? member.stack : null,
    stackIsOfWait: member.stackCounter === recorded?.counter,
    exit: exit
      ? {
          exitCode: exit.exitCode,
          signal: exit.signal,
          agoMs: now - exit.steadyAt,
          answeredAfterMs: pool?.parent.observed === undefined ? null : pool.parent.observedAt - exit.steadyAt,
          livedMs: exit.steadyAt - member.since,
          endedByUs: exit.endedByUs,
          oomKills: exit.oomKills,
          uncollected: member.uncollected,
        }
      : null,
    hasPools: makers.has(member.pid),
    unpicklableResults: recorded?.unpicklableResults ?? 0,
  }
}

function phaseOf(member: ProgramMember): ProgramWorkerFacts['phase'] {
  const { recorded } = member
  if (!member.live) return 'exited'
  if (recorded === undefined || recorded.poolKey === 0 || recorded.untold) return 'unknown'
  if (member.hasTask) return recorded.phase === 'sending' ? 'sending' : 'running'
  return recorded.ready ? 'idle' : 'starting'
}

function taskFacts(
  member: ProgramMember,
  pool: { observed: ObservedPool; parent: ParentView } | undefined,
  now: number,
): ProgramWorkerFacts['task'] {
  const { recorded, exit, named } = member
  if (recorded === undefined || !member.hasTask) return null
  return {
    id: member.taskId,
    job: recorded.job,
    index: recorded.index,
    label: member.label,
    items: named?.counter === recorded.counter ? named.items : 1,
    runningMs: Math.max(0, (exit?.steadyAt ?? now) - member.taskSince),
    sending: recorded.phase === 'sending',
    awaited: pool ? isAwaited(recorded.job, pool) : null,
    rescued: member.rescued !== undefined,
    retriable: recorded.keptBytes > 0 && pool?.parent.answers === true,
  }
}

function isAwaited(job: number, { observed, parent }: { observed: ObservedPool; parent: ParentView }): boolean | null {
  if (!parent.answers) return null
  const found = observed.jobs.find((candidate) => candidate.job === job)
  // An imap that has not named all of its items waits for more.
  if (found !== undefined) return found.left === null || found.left > 0
  return observed.jobs.length < listedJobs ? false : null
}

/**
 * It left in order and noted nothing, not even its stack signal: the observer did not get into it, and nobody knows
 * what it did.
 */
function isUnobserved({ exitCode, stackSignal }: RecordedProcess): boolean {
  return exitCode === 0 && stackSignal === 0
}

/** Workers in a row, up to the newest, that ended before they asked for a task. */
function exitsBeforeReady(
  members: readonly ProgramMember[],
  { observed, observedAt }: ParentView,
  now: number,
): ProgramPoolFacts['exitsBeforeReady'] {
  // Those that ended after the last answer may have been ended with their pool.
  const toldAt = observed === undefined ? now : observedAt
  const exits = members
    .flatMap(({ exit, recorded }) =>
      exit && recorded ? [{ exit, ready: recorded.ready || isUnobserved(recorded) }] : [],
    )
    .filter(({ exit }) => now - exit.steadyAt < crashLoopWindowMs && exit.steadyAt < toldAt)
    .sort((a, b) => a.exit.steadyAt - b.exit.steadyAt)
  const lastReady = exits.findLastIndex(({ ready }) => ready)
  return exits.slice(lastReady + 1).map(({ exit }) => exitNotation(exit.exitCode, exit.signal))
}

/** The time that a child of the program has stood still; 0 for one that no observer reports, as it may be anything. */
function standsStillMs({ recorded, standstill, threads }: ProgramMember, now: number): number {
  return recorded === undefined ? 0 : standstill.forMs(now, threads)
}
