import { verdictsOf, type PoolSnapshot, type PoolVerdictSnapshot } from '../../protocol'
import { plainLines } from '../output/plainText'
import { poolWord } from '../words/shell'
import { proposedCommands, verdictTag } from '../words/verdicts'

/** More at once (a thousand lost tasks have one cause) are counted: the program's own output should still be found between them. */
const mostAtOnce = 3

/** Says once of everything that gets stuck in a program why it does and what to do, and once when a pool goes on. */
export class VerdictNotes {
  private readonly said = new Map<string, Set<string>>()

  /**
   * The lines that are new since the last look.
   * @param pools The program and its pools.
   */
  observe(pools: readonly PoolSnapshot[]): string[] {
    const clean = plainLines(pools)
    return clean.flatMap((pool) => this.observePool(pool, clean))
  }

  private observePool(pool: PoolSnapshot, pools: readonly PoolSnapshot[]): string[] {
    const before = this.said.get(pool.id) ?? new Set()
    const stuck = pool.state === 'ended' ? [] : verdictsOf(pool).filter((verdict) => verdict.stuck)
    this.said.set(pool.id, new Set(stuck.map(keyOf)))
    if (stuck.length === 0) return before.size > 0 && pool.state !== 'ended' ? [`${pool.name} is not stuck any more`] : []
    const fresh = stuck.filter((verdict) => !before.has(keyOf(verdict)))
    if (fresh.length === 0) return []
    const shown = fresh.slice(0, mostAtOnce)
    return [
      ...shown.flatMap((verdict, at) => [
        `${verdictTag(verdict)}: ${verdict.summary}`,
        ...(verdict.advice === '' || shown[at + 1]?.advice === verdict.advice ? [] : [`  ${verdict.advice}`]),
      ]),
      ...(fresh.length > shown.length ? [`  and ${fresh.length - shown.length} more: unhang why ${poolWord(pool, pools)}`] : []),
      ...proposedCommands(pool, pools).map(({ command, does }) => `  ${command}  # ${does}`),
    ]
  }
}

function keyOf({ code, pid, task }: PoolVerdictSnapshot): string {
  return `${code} ${String(pid)} ${String(task)}`
}
