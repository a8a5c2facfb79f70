import type { WorkerSnapshot } from '../../protocol'
import type { PoolCatalog } from '../model/poolCatalog'
import { workersOfPool, type PoolRecord, type StoreChange } from '../model/poolStore'
import { nodeKey, type ListKind, type PoolsNode } from './nodes'

/** Rows of one list before *Show more…*: a tree with thousands of rows is slow to draw and nobody reads it. */
export const pageSize = 100

/**
 * The shape of the pools tree: who is below whom, which rows a change may touch, how much of a long list is shown.
 * Draws nothing and imports no editor.
 */
export class PoolsTree {
  readonly #catalog: PoolCatalog
  readonly #nodes = new Map<string, PoolsNode>()
  readonly #shown = new Map<string, number>()
  /** Rows that were handed out: only these can need a redraw. */
  readonly #handedOut = new Set<PoolsNode>()

  constructor(catalog: PoolCatalog) {
    this.#catalog = catalog
  }

  /** Rows at the top, or below a row. */
  children(parent?: PoolsNode): PoolsNode[] {
    const children = this.#children(parent)
    for (const child of children) this.#handedOut.add(child)
    return children
  }

  parent(node: PoolsNode): PoolsNode | undefined {
    const { poolId } = node
    switch (node.kind) {
      case 'pool': {
        const program = this.#programOf(poolId)
        return program === undefined ? undefined : this.node({ kind: 'pool', poolId: program })
      }
      case 'exitedGroup':
        return this.node({ kind: 'pool', poolId })
      case 'worker': {
        const exited = this.#catalog.worker(poolId, node.name)?.status === 'exited'
        return this.node(exited ? { kind: 'exitedGroup', poolId } : { kind: 'pool', poolId })
      }
      case 'task':
        return this.node({ kind: 'worker', poolId, name: node.worker })
      case 'more':
        return this.node(node.list === 'exited' ? { kind: 'exitedGroup', poolId } : { kind: 'pool', poolId })
    }
  }

  /** The one object that stands for a row. */
  node<N extends PoolsNode>(like: N): N {
    const key = nodeKey(like)
    const known = this.#nodes.get(key)
    if (known !== undefined) return known as N
    this.#nodes.set(key, like)
    return like
  }

  /** Shows another page of a list; returns the row whose children changed. */
  showMore(poolId: string, list: ListKind): PoolsNode {
    const key = `${poolId}/${list}`
    this.#shown.set(key, (this.#shown.get(key) ?? pageSize) + pageSize)
    return this.node(list === 'exited' ? { kind: 'exitedGroup', poolId } : { kind: 'pool', poolId })
  }

  /** How many rows of a list are hidden behind *Show more…*. */
  hiddenCount(poolId: string, list: ListKind): number {
    const pool = this.#catalog.pool(poolId)
    if (pool === undefined) return 0
    return Math.max(0, this.#workers(pool, list).length - this.#limit(poolId, list))
  }

  /** What a row has below it, as keys in their order: while they stay the same, the rows need not be fetched again. */
  below(node: PoolsNode): string[] {
    const task = node.kind === 'worker' ? this.#catalog.worker(node.poolId, node.name)?.task : undefined
    // Another task in the same worker is drawn in the same row.
    if (task) return [task.id]
    return this.#children(node).map(nodeKey)
  }

  /** Rows that a change may have touched; `root` when pools came or went. */
  rowsTouchedBy(change: StoreChange): 'root' | PoolsNode[] {
    if (change.membership) {
      this.#forgetMissing()
      return 'root'
    }
    if (change.pools.size > 0) this.#forgetMissing()
    // What is wrong in a pool is also told by the icon of its program, which may be closed.
    const programs = new Set([...change.pools].map((poolId) => this.#programOf(poolId)))
    return [...this.#handedOut].filter((row) => {
      if (change.pools.has(row.poolId) || (row.kind === 'pool' && programs.has(row.poolId))) return true
      const name = workerOf(row)
      return name !== undefined && change.workers.get(row.poolId)?.has(name) === true
    })
  }

  /** Rows whose text or hover tells a time that goes on. */
  tickingRows(): PoolsNode[] {
    return [...this.#handedOut].filter((row) => {
      if (row.kind === 'pool') return this.#catalog.pool(row.poolId)?.header.state !== 'ended'
      const name = workerOf(row)
      return name !== undefined && this.#catalog.worker(row.poolId, name)?.exitedAt === null
    })
  }

  #children(parent: PoolsNode | undefined): PoolsNode[] {
    if (parent === undefined)
      return this.#catalog.pools
        .filter(({ header }) => this.#programOf(header.id) === undefined)
        .map(({ header }) => this.node({ kind: 'pool', poolId: header.id }))
    const { poolId } = parent
    const pool = this.#catalog.pool(poolId)
    if (pool === undefined) return []
    switch (parent.kind) {
      case 'pool': {
        const rows: PoolsNode[] = [...this.#poolsIn(poolId), ...this.#page(pool, 'live')]
        if (this.#workers(pool, 'exited').length > 0) rows.push(this.node({ kind: 'exitedGroup', poolId }))
        return rows
      }
      case 'exitedGroup':
        return this.#page(pool, 'exited')
      case 'worker':
        return pool.workers.get(parent.name)?.task ? [this.node({ kind: 'task', poolId, worker: parent.name })] : []
      case 'task':
      case 'more':
        return []
    }
  }

  /** The pools of a program: those that live first, and the newest first of them. */
  #poolsIn(programId: string): PoolsNode[] {
    const pools = this.#catalog.poolsOf(programId)
    const live = pools.filter(({ header }) => header.state !== 'ended')
    return [...live, ...pools.filter((pool) => !live.includes(pool))].map(({ header }) =>
      this.node({ kind: 'pool', poolId: header.id }),
    )
  }

  /** The program that a pool is drawn below. */
  #programOf(poolId: string): string | undefined {
    const programId = this.#catalog.pool(poolId)?.header.programId
    return programId != null && this.#catalog.pool(programId) !== undefined ? programId : undefined
  }

  #page(pool: PoolRecord, list: ListKind): PoolsNode[] {
    const poolId = pool.header.id
    const workers = this.#workers(pool, list)
    const limit = this.#limit(poolId, list)
    const rows: PoolsNode[] = workers
      .slice(0, limit)
      .map((worker) => this.node({ kind: 'worker', poolId, name: worker.name }))
    if (workers.length > limit) rows.push(this.node({ kind: 'more', poolId, list }))
    return rows
  }

  #workers(pool: PoolRecord, list: ListKind): WorkerSnapshot[] {
    const workers = workersOfPool(pool).filter((worker) => (worker.status === 'exited') === (list === 'exited'))
    if (list === 'exited') return workers.sort((a, b) => (b.exitedAt ?? 0) - (a.exitedAt ?? 0) || byName(a, b))
    // Stuck first: the one row that matters must not hide behind "Show more…".
    return workers.sort((a, b) => Number(b.task?.stuck === true) - Number(a.task?.stuck === true) || byName(a, b))
  }

  #limit(poolId: string, list: ListKind): number {
    return this.#shown.get(`${poolId}/${list}`) ?? pageSize
  }

  #forgetMissing(): void {
    for (const [key, node] of this.#nodes) {
      const pool = this.#catalog.pool(node.poolId)
      const name = workerOf(node)
      if (pool !== undefined && (name === undefined || pool.workers.has(name))) continue
      this.#nodes.delete(key)
      this.#handedOut.delete(node)
    }
    for (const key of this.#shown.keys()) {
      if (this.#catalog.pool(key.slice(0, key.lastIndexOf('/'))) === undefined) this.#shown.delete(key)
    }
  }
}

/** The worker that a row is about. */
function workerOf(node: PoolsNode): string | undefined {
  return node.kind === 'worker' ? node.name : node.kind === 'task' ? node.worker : undefined
}

const natural = new Intl.Collator('en', { numeric: true })

function byName(a: WorkerSnapshot, b: WorkerSnapshot): number {
  return natural.compare(a.name, b.name)
}
