import { verdictsOf, type PoolSnapshot, type PoolVerdictSnapshot } from '../../protocol'
import { plainLines } from '../output/plainText'
import { poolWord } from '../words/shell'
import { proposedCommands, verdictTag } from '../words/verdicts'

/** More at once (a thousand lost tasks have one cause) are counted: the program's own output should still be found between them. */
const mostAtOnce = 3

/** Says once of everything that gets stuck in a program why it does and what to do, and once when it is over. */
export class VerdictNotes {
  private said = new Map<string, { readonly tag: string; readonly pool: string }>()

  /**
   * The lines that are new since the last look.
   * @param pools The program and its pools.
   */
  observe(pools: readonly PoolSnapshot[]): string[] {
    const clean = plainLines(pools)
    const stuck = new Map<string, { pool: PoolSnapshot; verdict: PoolVerdictSnapshot }>(clean.filter((pool) => pool.state !== 'ended').flatMap((pool) => verdictsOf(pool)
      .filter((verdict) => verdict.stuck)
      .map((verdict) => [`${pool.id} ${verdict.code} ${String(verdict.pid)} ${String(verdict.task)}`, { pool, verdict }] as const)))
    const fresh = [...stuck].filter(([key]) => !this.said.has(key)).map(([, found]) => found)
    const over = [...this.said].filter(([key]) => !stuck.has(key)).map(([, before]) => before)
    this.said = new Map([...stuck].map(([key, { pool, verdict }]) => [key, { pool: pool.name, tag: verdictTag(verdict) }]))
    return [
      ...over.filter(({ pool }) => clean.some((other) => other.name === pool && other.state !== 'ended')).slice(0, mostAtOnce).map(({ pool, tag }) => `${pool}: no longer ${tag}`),
      ...fresh.slice(0, mostAtOnce).flatMap(({ pool, verdict }) => [
        `${verdictTag(verdict)}: ${verdict.summary}`,
        ...(verdict.advice === '' ? [] : [`  ${verdict.advice}`]),
        ...proposedCommands(verdict, pool, clean).map(({ command, does }) => `  ${command}  # ${does}`),
      ]),
      ...(fresh.length > mostAtOnce ? [`and ${fresh.length - mostAtOnce} more: unhang why ${poolWord(fresh[0]?.pool ?? { id: '', name: '' }, clean)}`] : []),
    ]
  }
}
