import { chmodSync, cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../../dist', import.meta.url))

/** The built command line, copied to where another user can read it: a checkout may lie in a folder of root's alone. */
export function cliForOthers(folder: string): string {
  if (!existsSync(join(dist, 'cli.js'))) throw new Error('dist/cli.js is missing: run `npm run build` first')
  const copy = join(folder, 'dist')
  cpSync(dist, copy, { recursive: true, filter: (source) => !source.endsWith('.map') })
  chmodSync(copy, 0o755)
  return join(copy, 'cli.js')
}
