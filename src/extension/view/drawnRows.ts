import type { PoolVerdictSnapshot } from '../../protocol'
import type { PoolCatalog } from '../model/poolCatalog'
import { appearanceOf } from './appearance'
import type { PoolsNode } from './nodes'
import type { PoolsTree } from './poolsTree'

/**
 * A pool is drawn with everything below it, which closes every hover there; so what only its numbers say may wait. With
 * a stuck task below it longer, because somebody reads why.
 */
export const poolTextEveryMs = 2_000
export const stuckPoolTextEveryMs = 5_000

interface Drawn {
  /** All that is drawn at once when it changes, with the rows below. */
  readonly shape: string
  /** The words that count. */
  readonly words: string
  readonly at: number
}

/**
 * Remembers what each row looked like when it was last drawn. Drawing a row again closes its hover and replaces its
 * buttons under the pointer, so a row is drawn again only when somebody could see a difference.
 */
export class DrawnRows {
  readonly #catalog: PoolCatalog
  readonly #tree: PoolsTree
  readonly #drawn = new WeakMap<PoolsNode, Drawn>()

  constructor(catalog: PoolCatalog, tree: PoolsTree) {
    this.#catalog = catalog
    this.#tree = tree
  }

  /** Keeps how a row looks now: it is being drawn. */
  keep(node: PoolsNode, now: number): void {
    this.#drawn.set(node, this.#look(node, now))
  }

  /** Those of the rows that look different now, without those below another one; they count as drawn from here on. */
  take(nodes: readonly PoolsNode[], now: number): PoolsNode[] {
    const changed = new Set(nodes.filter((node) => this.#differs(node, now)))
    const rows = [...changed].filter((node) => {
      for (let above = this.#tree.parent(node); above !== undefined; above = this.#tree.parent(above)) {
        if (changed.has(above)) return false
      }
      return true
    })
    for (const node of changed) this.keep(node, now)
    return rows
  }

  #differs(node: PoolsNode, now: number): boolean {
    const before = this.#drawn.get(node)
    const look = this.#look(node, now)
    if (before?.shape !== look.shape) return true
    if (before.words === look.words) return false
    if (node.kind !== 'pool') return true
    const pool = this.#catalog.pool(node.poolId)
    const stuck = pool !== undefined && this.#catalog.isStuck(pool)
    return now - before.at >= (stuck ? stuckPoolTextEveryMs : poolTextEveryMs)
  }

  #look(node: PoolsNode, now: number): Drawn {
    const appearance = appearanceOf(node, this.#catalog, this.#tree, now)
    if (appearance === undefined) return { shape: '', words: '', at: now }
    const { description, accessibilityLabel, ...shape } = appearance
    const words = [description, accessibilityLabel, this.#hover(node, now)].join('\n')
    return { shape: JSON.stringify([shape, this.#tree.below(node)]), words, at: now }
  }

  /**
   * VS Code asks for a hover once for each time a row is drawn, so a row is also drawn for what only its hover says.
   */
  #hover(node: PoolsNode, now: number): string {
    const pool = this.#catalog.pool(node.poolId)?.header
    if (node.kind === 'pool')
      return pool === undefined
        ? ''
        : `${pool.verdicts.map(verdictKey).join()} ${minutes(pool.startedAt, pool.endedAt ?? now)}`
    const worker = node.kind === 'worker' ? this.#catalog.worker(node.poolId, node.name) : undefined
    return worker === undefined
      ? ''
      : `${worker.task?.verdict?.code ?? ''} ${minutes(worker.startedAt, worker.exitedAt ?? now)}`
  }
}

function verdictKey({ code, pid, task }: PoolVerdictSnapshot): string {
  return `${code} ${String(pid)} ${String(task)}`
}

function minutes(from: number, to: number): string {
  return String(Math.floor((to - from) / 60_000))
}
