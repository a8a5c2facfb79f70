import { verdictsOf, type PoolSnapshot, type PoolVerdictSnapshot, type RunningProgram } from '../../protocol'

/** What `unhang why --json` prints: one object and nothing else on stdout. Keys are only ever added. */
export interface WhyJson {
  /** The pools that live, or those that were named; a pool with nothing wrong has no verdicts. */
  readonly pools: readonly WhyPool[]
  /** As in `ps --json`. */
  readonly unwatched?: readonly RunningProgram[]
}
export interface WhyPool {
  readonly id: string
  readonly name: string
  /**
   * `module`, `python`, `command`; `program` and `attached` are the user's own programs, `watched` is a pool in one.
   */
  readonly kind: string
  /** Of a pool in a program: the id of that program, which is in the list too. */
  readonly programId: string | null
  /**
   * `{ code, stuck, summary, evidence: [{ what, value }], advice, confidence, worker, pid, task, rescue }`: what is
   * stuck first. `worker` and `pid` are null when it is about the pool as a whole. `rescue` has what `unhang rescue`
   * could do: `{ kind: 'task', task, label, retriable, worker, pid }`, `{ kind: 'lock', lock, worker, pid }`, `{ kind:
   * 'continue', worker, pid }`.
   */
  readonly verdicts: readonly PoolVerdictSnapshot[]
}

/** The stable shape of `why --json`. */
export function whyJson(pools: readonly PoolSnapshot[], unwatched: readonly RunningProgram[] = []): WhyJson {
  return {
    pools: pools.map((pool) => ({
      id: pool.id,
      name: pool.name,
      kind: pool.kind,
      programId: pool.programId,
      verdicts: verdictsOf(pool).map(verdictJson),
    })),
    ...(unwatched.length === 0 ? {} : { unwatched }),
  }
}

/** The documented keys of a verdict, in their order. */
export function verdictJson({
  code,
  stuck,
  summary,
  evidence,
  advice,
  confidence,
  worker,
  pid,
  task,
  rescue,
}: PoolVerdictSnapshot): PoolVerdictSnapshot {
  return { code, stuck, summary, evidence, advice, confidence, worker, pid, task, rescue }
}
