/**
 * What makes a process the same process: a pid alone is reused by the system, a pid with its
 * start time is not. Every signal in this project is addressed to an identity, never to a pid.
 */
export interface ProcessIdentity {
  readonly pid: number
  /**
   * Opaque; equal strings mean the same process, also across reboots.
   * On Linux `<boot id>-<field 22 of /proc/PID/stat, in clock ticks>`.
   */
  readonly startTime: string
}

/** One letter of `/proc/PID/stat`, spelled out. */
export type ProcessState = 'running' | 'sleeping' | 'uninterruptible' | 'stopped' | 'zombie' | 'idle' | 'unknown'

/** One row of the process table. */
export interface ProcessRow {
  readonly identity: ProcessIdentity
  readonly parentPid: number
  readonly processGroup: number
  readonly session: number
  readonly state: ProcessState
  /** The kernel's short name of the program (15 characters on Linux). */
  readonly command: string
}

/** What a process does with one signal; read before a signal is sent, to predict whether it will help. */
export interface SignalMasks {
  readonly ignored: ReadonlySet<NodeJS.Signals>
  readonly caught: ReadonlySet<NodeJS.Signals>
  readonly blocked: ReadonlySet<NodeJS.Signals>
  readonly pending: ReadonlySet<NodeJS.Signals>
  /** All that are caught, by number: real-time signals have no name here. */
  readonly caughtNumbers: ReadonlySet<number>
  /**
   * The debugger (or strace) that is attached: it gets every signal but SIGKILL first, and may keep it. Absent where
   * none is.
   */
  readonly tracerPid?: number
}

/** Where a thread waits in the kernel; of a process its main thread, which is the one that runs a worker's tasks. */
export interface ProcessWait {
  readonly kind:
    | 'futex'
    | 'pipe-read'
    | 'pipe-write'
    | 'socket-read'
    | 'socket-write'
    | 'poll'
    | 'child'
    | 'sleep'
    | 'running'
    | 'other'
  /** The kernel's own word, `anon_pipe_read`; empty when it does not say. */
  readonly wchan: string
  /** Of a futex: `0x7f3a…`. */
  readonly address: string | null
  /** A futex that only threads of this process can wake. */
  readonly isPrivate: boolean
  /** The wait for a futex has an end: it goes on by itself when its time is over. */
  readonly timed: boolean
  /** File descriptor of a read or write. */
  readonly descriptor: number | null
  /** What the descriptor is, `pipe:[12345]`; null when unknown. */
  readonly target: string | null
  /** Pid of the child that is waited for; null when it may be any, or unknown. */
  readonly child: number | null
}

/** Where a thread other than the main one waits. */
export interface ThreadWait extends ProcessWait {
  /**
   * How often it has left the processor, null where the kernel does not say: as long as it stays the same in one place,
   * it has not run.
   */
  readonly switches: number | null
}

/** A process with more threads than this is not asked where each of them waits: that takes some 10 µs a thread. */
export const mostThreads = 16

/** How a process ended. */
export interface ExitStatus {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/** What became of one attempt to signal an identity. */
export type SignalOutcome =
  /** The kernel took the signal. */
  | 'sent'
  /** No process has that pid any more. */
  | 'gone'
  /** The pid belongs to another process now; nothing was sent. */
  | 'reused'
  /** The kernel refused (EPERM). */
  | 'denied'
  /** Refused by us: pid ≤ 1, ourselves, our parent, or a protected pid. */
  | 'protected'

/** CPU and memory of one process at one moment. */
export interface ProcessUsage {
  readonly identity: ProcessIdentity
  /** User and system time since the process started, milliseconds. */
  readonly cpuTimeMs: number
  /**
   * The same of children that have ended and that it has waited for (Linux): the work of a shell script, for example.
   */
  readonly waitedCpuTimeMs?: number
  /** Resident set size in bytes. */
  readonly memoryBytes: number
}

/**
 * What the operating system says of processes, and the one door through which signals leave.
 * Linux answers from /proc; elsewhere `systeminformation` answers. Tests replace it to simulate
 * what cannot be made on demand (a reused pid, a process in state D).
 */
export interface ProcessTable {
  /** The identity behind a pid now, or undefined when there is no such process. Zombies have one. */
  identify(pid: number): Promise<ProcessIdentity | undefined>
  /** True while the same process exists (a zombie still exists; see {@link ProcessTable.inspect}). */
  exists(identity: ProcessIdentity): Promise<boolean>
  /** The current row of a process, undefined when it is gone or its pid was reused. */
  inspect(identity: ProcessIdentity): Promise<ProcessRow | undefined>
  /** Signal masks, undefined where the system does not tell (anything but Linux) or the process is gone. */
  signalMasks(identity: ProcessIdentity): Promise<SignalMasks | undefined>
  /**
   * How many threads a process has, and where its main thread waits in the kernel right now; `other` with an empty
   * `wchan` where the system does not let us look. `switches` counts how often that thread has left the processor, null
   * where the kernel does not say: as long as it stays the same in one place, the thread has not run. It and `threads`
   * are a little younger than `wait`. Linux only; undefined elsewhere, and when the process is gone or a zombie.
   */
  waits(
    identity: ProcessIdentity,
  ): Promise<{ readonly threads: number; readonly wait: ProcessWait; readonly switches: number | null } | undefined>
  /**
   * Where its other threads wait, without the main one; not asked of more than {@link mostThreads}, for which none are
   * told. Linux only; undefined elsewhere, and when the process is gone or a zombie.
   */
  threadWaits(identity: ProcessIdentity): Promise<readonly ThreadWait[] | undefined>
  /**
   * The arguments it was started with, or the title it gave itself as the only one; empty for a kernel thread. Linux
   * only; undefined elsewhere, and when they cannot be read now (gone, a zombie, waiting inside the kernel).
   */
  commandLine(identity: ProcessIdentity): Promise<readonly string[] | undefined>
  /** Its working directory. Linux only; undefined elsewhere, and when the process is gone or not ours to look at. */
  workingDirectory(identity: ProcessIdentity): Promise<string | undefined>
  /**
   * Whether one of its descriptors is open on this file, named as the kernel names it. Linux only; false elsewhere, and
   * when it cannot be seen.
   */
  hasOpen(identity: ProcessIdentity, path: string): Promise<boolean>
  /**
   * How a zombie ended that nobody has collected yet. Linux only; undefined elsewhere, and of anything that is no
   * zombie of ours.
   */
  exitStatus(identity: ProcessIdentity): Promise<ExitStatus | undefined>
  /**
   * How often the kernel's OOM killer has struck in the process's own control group, else on this machine; null when
   * nothing says. Two answers for one identity count the same thing, so that their difference means something: ask once
   * while the process lives (before the kill), then it can be asked after its end as well. A process that moves to
   * another control group after that is counted in its first one. Linux only; null elsewhere.
   */
  oomKills(identity: ProcessIdentity): Promise<number | null>
  /** The whole table in one pass, without blocking the event loop for more than 20 ms. */
  list(): Promise<ProcessRow[]>
  /**
   * For each root: every process below it (by parent, by session or process group led by the root, and by environment
   * marker `UNHANG_WORKER=<marker>` where given, which finds those that were re-parented). Roots are not included. One
   * pass over the table for all roots.
   */
  descendants(roots: readonly { identity: ProcessIdentity; marker?: string }[]): Promise<Map<number, ProcessRow[]>>
  /** CPU time and memory; pids that are gone are left out. */
  usage(identities: readonly ProcessIdentity[]): Promise<Map<number, ProcessUsage>>
  /**
   * Checks identity and sends, with nothing in between. Never throws for a process that is gone. A number is for
   * real-time signals, which Node cannot name.
   */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals | number): Promise<SignalOutcome>
}
