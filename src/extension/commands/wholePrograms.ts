import type { PoolCatalog } from '../model/poolCatalog'
import type { PoolRecord } from '../model/poolStore'

/** What is ended when these pools are: a pool that a program made ends only with its program. */
export interface EndingScope {
  /** Each once; programs in place of the pools inside them. */
  readonly pools: readonly PoolRecord[]
  /** Pools that were chosen without their programs, which end as well. */
  readonly inner: readonly { readonly pool: PoolRecord; readonly program: PoolRecord }[]
}

export function endingScope(chosen: readonly PoolRecord[], catalog: Pick<PoolCatalog, 'programOf'>): EndingScope {
  const pools = new Map<string, PoolRecord>()
  const inner: { pool: PoolRecord; program: PoolRecord }[] = []
  for (const pool of chosen) {
    const program = catalog.programOf(pool)
    if (program === undefined || program.header.id === pool.header.id) {
      pools.set(pool.header.id, pool)
      continue
    }
    if (!chosen.some(({ header }) => header.id === program.header.id)) inner.push({ pool, program })
    pools.set(program.header.id, program)
  }
  return { pools: [...pools.values()], inner }
}
