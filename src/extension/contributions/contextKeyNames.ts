/**
 * Every context key we set, with the type of its value; `when` clauses in package.json may use no other `unhang.` key.
 */
export interface ContextKeyValues {
  /** What the connection to the host is doing; decides which welcome content an empty view shows. */
  'unhang.hostState': 'none' | 'connecting' | 'connected' | 'failed' | 'hung'
  /** Some pool has not ended: there is something to terminate. */
  'unhang.hasLivePools': boolean
  /** Some pool has ended and can leave the view. */
  'unhang.hasEndedPools': boolean
  /** Some worker is stuck. */
  'unhang.hasStuck': boolean
  /** Some pool can be rescued. */
  'unhang.hasRescuable': boolean
}
export type ContextKey = keyof ContextKeyValues

export const contextKeys = [
  'unhang.hostState',
  'unhang.hasLivePools',
  'unhang.hasEndedPools',
  'unhang.hasStuck',
  'unhang.hasRescuable',
] as const satisfies readonly ContextKey[]
