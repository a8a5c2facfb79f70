/**
 * What the tree is made of. A node names something by its ids and holds no state, so that the same object stands for
 * the same row as long as that row exists (VS Code finds rows by object) and always draws the newest state.
 */
export interface PoolNode {
  readonly kind: 'pool'
  readonly poolId: string
}
export interface WorkerNode {
  readonly kind: 'worker'
  readonly poolId: string
  readonly name: string
}
export interface TaskNode {
  readonly kind: 'task'
  readonly poolId: string
  /** The worker it is in, or was lost with. */
  readonly worker: string
}
/** Workers that have ended. */
export interface ExitedGroupNode {
  readonly kind: 'exitedGroup'
  readonly poolId: string
}
/** Stands for the rest of a long list. */
export interface MoreNode {
  readonly kind: 'more'
  readonly poolId: string
  readonly list: ListKind
}
export type ListKind = 'live' | 'exited'
export type PoolsNode = PoolNode | WorkerNode | TaskNode | ExitedGroupNode | MoreNode

/** Unique and stable; also the row's `TreeItem.id`, which keeps selection and expansion. */
export function nodeKey(node: PoolsNode): string {
  switch (node.kind) {
    case 'pool':
      return `pool/${node.poolId}`
    case 'worker':
      return `worker/${node.poolId}/${node.name}`
    case 'task':
      return `task/${node.poolId}/${node.worker}`
    case 'exitedGroup':
      return `exited/${node.poolId}`
    case 'more':
      return `more/${node.poolId}/${node.list}`
  }
}

/** True for what VS Code hands to a command as the row it was called on. */
export function isPoolsNode(value: unknown): value is PoolsNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'poolId' in value &&
    'kind' in value &&
    typeof value.kind === 'string'
  )
}
