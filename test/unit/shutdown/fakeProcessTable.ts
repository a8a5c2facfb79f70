import type {
  ProcessIdentity,
  ProcessRow,
  ProcessState,
  ProcessTable,
  ProcessUsage,
  SignalMasks,
  SignalOutcome,
} from '../../../src/processes'

/** A process that exists only here, and how it takes signals. */
export interface FakeProcess {
  pid: number
  start?: number
  parentPid?: number
  state?: ProcessState
  ignored?: NodeJS.Signals[]
  caught?: NodeJS.Signals[]
  blocked?: NodeJS.Signals[]
  /** Called when a signal was sent. Default: SIGKILL always ends it, others unless ignored, caught or blocked. */
  onSignal?: (signal: NodeJS.Signals) => void
  outcome?: SignalOutcome
}

/**
 * A process table for what cannot be made on demand: a reused pid, a process that hangs in the kernel, a thousand
 * workers.
 */
export class FakeProcessTable implements ProcessTable {
  readonly processes = new Map<number, FakeProcess>()
  readonly signals: { pid: number; signal: NodeJS.Signals }[] = []
  /** Passes over the whole table. */
  passes = 0
  /** Looks at single processes. */
  looks = 0
  /** Called before each look, to let things happen in between. */
  beforeLook: () => void = () => undefined

  constructor(...processes: FakeProcess[]) {
    for (const process of processes) this.add(process)
  }

  add(process: FakeProcess): ProcessIdentity {
    this.processes.set(process.pid, process)
    return identityOf(process)
  }

  identify(pid: number): Promise<ProcessIdentity | undefined> {
    const process = this.processes.get(pid)
    return Promise.resolve(process && identityOf(process))
  }

  async exists(identity: ProcessIdentity): Promise<boolean> {
    return (await this.inspect(identity)) !== undefined
  }

  inspect(identity: ProcessIdentity): Promise<ProcessRow | undefined> {
    this.looks++
    this.beforeLook()
    const process = this.#find(identity)
    return Promise.resolve(process && rowOf(process))
  }

  signalMasks(identity: ProcessIdentity): Promise<SignalMasks | undefined> {
    const process = this.#find(identity)
    if (process === undefined) return Promise.resolve(undefined)
    const pending =
      process.state === 'uninterruptible'
        ? this.signals.filter(({ pid }) => pid === process.pid).map(({ signal }) => signal)
        : []
    return Promise.resolve({
      ignored: new Set(process.ignored),
      caught: new Set(process.caught),
      caughtNumbers: new Set(),
      blocked: new Set(process.blocked),
      pending: new Set(pending),
    })
  }

  waits(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  threadWaits(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  commandLine(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  workingDirectory(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  hasOpen(): Promise<boolean> {
    return Promise.resolve(false)
  }

  exitStatus(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  oomKills(): Promise<null> {
    return Promise.resolve(null)
  }

  list(): Promise<ProcessRow[]> {
    return Promise.resolve([...this.processes.values()].map(rowOf))
  }

  descendants(roots: readonly { identity: ProcessIdentity }[]): Promise<Map<number, ProcessRow[]>> {
    this.passes++
    const children = new Map<number, FakeProcess[]>()
    for (const process of this.processes.values()) {
      if (process.parentPid !== undefined)
        children.set(process.parentPid, [...(children.get(process.parentPid) ?? []), process])
    }
    const below = (process: FakeProcess): FakeProcess[] =>
      (children.get(process.pid) ?? []).flatMap((child) => [child, ...below(child)])
    return Promise.resolve(
      new Map(
        roots.map(({ identity }) => {
          const process = this.#find(identity)
          return [identity.pid, process === undefined ? [] : below(process).map(rowOf)]
        }),
      ),
    )
  }

  usage(): Promise<Map<number, ProcessUsage>> {
    return Promise.resolve(new Map<number, ProcessUsage>())
  }

  signal(identity: ProcessIdentity, signal: NodeJS.Signals | number): Promise<SignalOutcome> {
    if (typeof signal === 'number') throw new Error('No test sends a signal by number here')
    const holder = this.processes.get(identity.pid)
    if (holder === undefined) return Promise.resolve('gone')
    if (identityOf(holder).startTime !== identity.startTime) return Promise.resolve('reused')
    if (holder.outcome !== undefined) return Promise.resolve(holder.outcome)
    this.signals.push({ pid: identity.pid, signal })
    if (holder.onSignal !== undefined) holder.onSignal(signal)
    else if (holder.state !== 'uninterruptible' && this.#ends(holder, signal)) this.processes.delete(holder.pid)
    return Promise.resolve('sent')
  }

  #ends({ ignored = [], caught = [], blocked = [] }: FakeProcess, signal: NodeJS.Signals): boolean {
    if (signal === 'SIGKILL') return true
    return signal !== 'SIGCONT' && ![...ignored, ...caught, ...blocked].includes(signal)
  }

  #find(identity: ProcessIdentity): FakeProcess | undefined {
    const process = this.processes.get(identity.pid)
    return process !== undefined && identityOf(process).startTime === identity.startTime ? process : undefined
  }
}

function identityOf({ pid, start = pid }: FakeProcess): ProcessIdentity {
  return { pid, startTime: `boot-${start}` }
}

function rowOf(process: FakeProcess): ProcessRow {
  return {
    identity: identityOf(process),
    parentPid: process.parentPid ?? 1,
    processGroup: 1,
    session: 1,
    state: process.state ?? 'sleeping',
    command: 'fake',
  }
}
