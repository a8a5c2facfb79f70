/** What the host and its watchdog thread share: an Int32Array of this length, with these places. */
export const sharedLength = 2
/** 1 while somebody could miss the host, else 0; told by Atomics.notify. */
export const watchingAt = 0
/** Counts up while the event loop turns. */
export const beatAt = 1

/** How often it counts, and how often the thread looks: what is short enough nobody notices. */
export const beatMs = 500

export interface WatchdogData {
  readonly shared: Int32Array
  /** Where the host writes its log. */
  readonly logFile: string
  /** That of the main thread, which on Linux is the pid. */
  readonly mainThread: number
  /** False while somebody debugs the host: its pauses are theirs. */
  readonly mayInspect: boolean
}
