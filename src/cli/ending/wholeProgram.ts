import { poolsOfProgram, programOf, type PoolSnapshot } from '../../protocol'
import { plainLine } from '../../words'
import { plural } from '../words/plural'

/**
 * Before the end of a pool that a program made: it refills itself, so the program ends with it. Undefined for any other
 * pool.
 */
export function wholeProgramNote(poolId: string, pools: readonly PoolSnapshot[]): string | undefined {
  const pool = pools.find(({ id }) => id === poolId)
  const program = pool && programOf(pool, pools)
  if (pool === undefined || program === undefined || program === pool) return undefined
  const count = poolsOfProgram(program, pools).filter(({ state }) => state !== 'ended').length
  return (
    `${plainLine(pool.name)} is a pool of ${plainLine(program.name)}: the program ends, with ` +
    (count > 1 ? `its ${plural(count, 'pool')}` : 'it')
  )
}
