import { readSync } from 'node:fs'
import { claimsFd } from '../wire/workerProcess'

const one = Buffer.allocUnsafe(1)

/** The worker's side of wire/claims.ts: true when the task that was sent ahead may be started. */
export function claim(): boolean {
  return readSync(claimsFd, one, 0, 1, null) === 1
}
