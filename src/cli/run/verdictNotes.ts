import {
  rescueOptionsOf,
  verdictsOf,
  type PoolSnapshot,
  type PoolVerdictSnapshot,
  type WatchOptions,
  type PolicyActed,
} from '../../protocol'
import { plainLines } from '../../words'
import { poolWord } from '../words/shell'
import { advisedVerdicts, verdictTag } from '../words/verdicts'

/**
 * More at once (a thousand lost tasks have one cause) are counted: the program's own output should still be found
 * between them.
 */
const mostAtOnce = 3

/** Says once of everything that gets stuck in a program why it does and what to do, and once when a pool goes on. */
export class VerdictNotes {
  readonly #onStuck: NonNullable<WatchOptions['onStuck']>

  readonly #said = new Map<string, Set<string>>()

  /** What is not stuck any more while it is being ended is no good news. */
  #ends = false

  /** @param onStuck What is done about it without anybody's asking: then nobody is asked to do it. */
  constructor(onStuck: NonNullable<WatchOptions['onStuck']> = 'flag') {
    this.#onStuck = onStuck
  }

  /**
   * The lines that are new since the last look.
   * @param pools The program and its pools.
   */
  observe(pools: readonly PoolSnapshot[]): string[] {
    const clean = plainLines(pools)
    return clean.flatMap((pool) => this.#observePool(pool, clean))
  }

  /** What `onStuck` does, after why, where that was not said yet. */
  acted(params: PolicyActed, programName: string): string[] {
    const { poolId, name, onStuck, outcome, what, verdicts } = plainLines(params)
    const before = this.#said.get(poolId) ?? new Set()
    const fresh = verdicts.filter((verdict) => !before.has(keyOf(verdict)))
    this.#said.set(poolId, new Set([...before, ...verdicts.map(keyOf)]))
    const more = what.length > mostAtOnce ? ` and ${what.length - mostAtOnce} more` : ''
    const shown = what.slice(0, mostAtOnce)
    const why = verdictLines(fresh.slice(0, mostAtOnce), outcome === 'gaveUp')
    switch (outcome) {
      case 'ends':
        this.#ends = true
        return [...why, `${programName} is ended by --on-stuck ${onStuck}`]
      case 'retried':
        return [...why, `${name}: ${shown.join('; ')}${more} (by --on-stuck ${onStuck})`]
      case 'gaveUp':
        return [
          ...why,
          `${name}: --on-stuck ${onStuck} gives up on ${shown.join(', ')}${more}: unhang why ` +
            poolWord({ id: poolId, name }, []),
        ]
    }
  }

  #observePool(pool: PoolSnapshot, pools: readonly PoolSnapshot[]): string[] {
    const before = this.#said.get(pool.id) ?? new Set()
    const stuck = pool.state === 'ended' ? [] : verdictsOf(pool).filter((verdict) => verdict.stuck)
    this.#said.set(pool.id, new Set(stuck.map(keyOf)))
    if (stuck.length === 0)
      return before.size > 0 && pool.state !== 'ended' && !this.#ends ? [`${pool.name} is not stuck any more`] : []
    const isFresh = (verdict: PoolVerdictSnapshot): boolean => verdict.stuck && !before.has(keyOf(verdict))
    const fresh = stuck.filter(isFresh)
    const lines: string[] = []
    const isTakenCareOf = this.#isTakenCareOf(pool)
    let left = mostAtOnce
    for (const { verdicts, commands } of advisedVerdicts(pool, pools)) {
      const here = verdicts.filter(isFresh)
      const shown = here.slice(0, left)
      if (shown.length === 0) continue
      lines.push(...verdictLines(shown, !isTakenCareOf))
      if (left <= here.length && fresh.length > mostAtOnce)
        lines.push(`  and ${fresh.length - mostAtOnce} more: unhang why ${poolWord(pool, pools)}`)
      if (!isTakenCareOf) lines.push(...commands.map(({ command, does }) => `  ${command}  # ${does}`))
      left -= shown.length
    }
    return lines
  }

  #isTakenCareOf(pool: PoolSnapshot): boolean {
    if (this.#onStuck === 'retry')
      return rescueOptionsOf(pool).some((option) => option.kind !== 'task' || option.retriable)
    return this.#onStuck !== 'flag'
  }
}

function verdictLines(verdicts: readonly PoolVerdictSnapshot[], withAdvice: boolean): string[] {
  return verdicts.flatMap((verdict, at) => [
    `${verdictTag(verdict)}: ${verdict.summary}`,
    ...(!withAdvice || verdict.advice === '' || verdicts[at + 1]?.advice === verdict.advice
      ? []
      : [`  ${verdict.advice}`]),
  ])
}

function keyOf({ code, pid, task }: PoolVerdictSnapshot): string {
  return `${code} ${String(pid)} ${String(task)}`
}
