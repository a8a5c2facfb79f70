import type { PoolSnapshot } from '../../protocol'

/** A word as a shell takes it literally. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** What to type for a pool: its name where that names no other, else its id. */
export function poolWord(
  pool: Pick<PoolSnapshot, 'id' | 'name'>,
  pools: readonly Pick<PoolSnapshot, 'name' | 'state'>[],
): string {
  const namesakes = pools.filter((other) => other.name === pool.name && other.state !== 'ended').length
  // A name such as 4711 could be a pid, one such as -x an option.
  const isClear = namesakes <= 1 && !/^(?:\d|pid:|-)/.test(pool.name) && !/[\p{Cc}]/u.test(pool.name)
  return isClear ? shellWord(pool.name) : pool.id
}
