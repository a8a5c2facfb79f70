import { timingSafeEqual } from 'node:crypto'

/** Whether two secrets are equal; takes the same time wherever they differ. */
export function sameToken(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}
