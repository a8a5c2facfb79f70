/** Every cause that Unhang can name; see the README for what each one rests on. */
export type VerdictCode =
  | 'lost-task'
  | 'orphaned-queue-lock'
  | 'oom-killed'
  | 'result-thread-dead'
  | 'fork-with-threads'
  | 'output-pipe-full'
  | 'pipe-held-by-descendant'
  | 'sigterm-ignored'
  | 'event-loop-blocked'
  | 'blocked-in-native'
  | 'stopped'
  | 'uninterruptible'
  | 'zombie'
  | 'orphaned'
  | 'no-live-workers'
  | 'crash-loop'
  | 'self-wait'
  | 'unserializable-result'
  | 'no-progress'
  | 'slow'

/** One fact a verdict rests on, in words a person can check: `{ what: 'CPU time since 12 s', value: '0 ms' }`. */
export interface Evidence {
  readonly what: string
  readonly value: string
}

/** What is wrong, why we think so, and what would help. */
export interface Verdict {
  readonly code: VerdictCode
  /** One sentence in plain words. */
  readonly summary: string
  readonly evidence: readonly Evidence[]
  readonly advice: string
  readonly confidence: 'certain' | 'likely' | 'possible'
}
