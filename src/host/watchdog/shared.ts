/** The memory that the host and its watchdog thread share: an Int32Array of this length, with these indices. */
export const sharedLength = 2
/** 1 while the host is needed, else 0; changes are signalled by Atomics.notify. */
export const watchingAt = 0
/** Counts up while the event loop turns. */
export const beatAt = 1

/** Interval of the counter and of the thread's checks; shorter blockages are not noticeable. */
export const beatMs = 500

export interface WatchdogData {
  readonly shared: Int32Array
  /** Where the host writes its log. */
  readonly logFile: string
  /** That of the main thread, which on Linux is the pid. */
  readonly mainThread: number
  /** False while a debugger is attached to the host: pauses are intended. */
  readonly mayInspect: boolean
}
