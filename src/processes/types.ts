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

/** Where a thread waits in the kernel. For a process, its main thread, which runs a worker's tasks. */
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
  /** Name of the kernel function, `anon_pipe_read`; empty when the kernel does not tell. */
  readonly wchan: string
  /** Of a futex: `0x7f3a…`. */
  readonly address: string | null
  /** Whether only threads of this process can wake the futex. */
  readonly isPrivate: boolean
  /** Whether the wait for a futex has a time limit, after which the thread goes on without being woken. */
  readonly timed: boolean
  /** File descriptor of a read or write. */
  readonly descriptor: number | null
  /** What the descriptor is, `pipe:[12345]`; null when unknown. */
  readonly target: string | null
  /** Pid of the child that is waited for; null for any child, or when it is unknown. */
  readonly child: number | null
}

/** Where a thread other than the main one waits. */
export interface ThreadWait extends ProcessWait {
  /**
   * How often the thread has left the processor, null where the kernel does not tell. While count and place stay the
   * same, the thread has not run.
   */
  readonly switches: number | null
}

/** Where the threads of a process wait is not read when there are more than this: it takes some 10 µs a thread. */
export const mostThreads = 16

/** How a process ended. */
export interface ExitStatus {
  /** null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/** Result of one attempt to signal an identity. */
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
   * User and system time of children that have ended and were waited for (Linux): the work of a shell script, for
   * example.
   */
  readonly waitedCpuTimeMs?: number
  /** Resident set size in bytes. */
  readonly memoryBytes: number
}

/**
 * What the operating system knows of processes, and the only way in which signals are sent. Linux is read from /proc,
 * other systems through `systeminformation`. Tests replace it to simulate what cannot be made on demand (a reused pid,
 * a process in state D).
 */
export interface ProcessTable {
  /** The identity behind a pid now, or undefined when there is no such process. Zombies have one. */
  identify(pid: number): Promise<ProcessIdentity | undefined>
  /** True while the same process exists (a zombie still exists; see {@link ProcessTable.inspect}). */
  exists(identity: ProcessIdentity): Promise<boolean>
  /** The current row of a process, undefined when it is gone or its pid was reused. */
  inspect(identity: ProcessIdentity): Promise<ProcessRow | undefined>
  /** Signal masks; undefined on systems other than Linux, and when the process is gone. */
  signalMasks(identity: ProcessIdentity): Promise<SignalMasks | undefined>
  /**
   * How many threads a process has, and where its main thread waits in the kernel now: `other` with an empty `wchan`
   * where reading that is not permitted. `switches` counts how often that thread has left the processor, null where the
   * kernel does not tell; while count and place stay the same, the thread has not run. `switches` and `threads` are
   * read a moment after `wait`. Linux only; undefined elsewhere, and when the process is gone or a zombie.
   */
  waits(
    identity: ProcessIdentity,
  ): Promise<{ readonly threads: number; readonly wait: ProcessWait; readonly switches: number | null } | undefined>
  /**
   * Where the threads other than the main one wait; empty for a process with more than {@link mostThreads}. Linux only;
   * undefined elsewhere, and when the process is gone or a zombie.
   */
  threadWaits(identity: ProcessIdentity): Promise<readonly ThreadWait[] | undefined>
  /**
   * The arguments it was started with, or the title it gave itself as the only one; empty for a kernel thread. Linux
   * only; undefined elsewhere, and when they cannot be read now (gone, a zombie, waiting inside the kernel).
   */
  commandLine(identity: ProcessIdentity): Promise<readonly string[] | undefined>
  /** Its working directory. Linux only; undefined elsewhere, and when the process is gone or may not be read. */
  workingDirectory(identity: ProcessIdentity): Promise<string | undefined>
  /**
   * Whether one of its descriptors is open on this file, given by the kernel's name for it. Linux only; false
   * elsewhere, and when the descriptors cannot be read.
   */
  hasOpen(identity: ProcessIdentity, path: string): Promise<boolean>
  /**
   * How a zombie ended that its parent has not collected yet. Linux only; undefined elsewhere, for a process that is no
   * zombie, and for one of another user.
   */
  exitStatus(identity: ProcessIdentity): Promise<ExitStatus | undefined>
  /**
   * Number of kills by the kernel's OOM killer in the process's control group, else on this machine; null when neither
   * can be read. All answers for one identity come from one counter, so that they can be subtracted: ask once while the
   * process lives, then also after its end. A process that moves to another control group in between is still counted
   * in its first one. Linux only; null elsewhere.
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
   * Checks the identity and sends the signal in one step. Never throws for a process that is gone. A number is for
   * real-time signals, which Node cannot name.
   */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals | number): Promise<SignalOutcome>
}
