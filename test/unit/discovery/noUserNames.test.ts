import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const sources = fileURLToPath(new URL('../../../src', import.meta.url))

/** What throws for a user without a line in passwd; `userFolders.ts` is the one place that may ask, and expects it. */
const asksByName = /\b(?:userInfo|homedir)\s*\(|\bgetpass\b|\bpwd\.getpw/

it(
  'nothing in the extension, the host or a worker asks the system for the user by name, which in a container ' +
    'may have none',
  () => {
    const asking = readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|mjs|cjs|py)$/.test(name) && name !== join('discovery', 'userFolders.ts'))
      .filter((name) =>
        asksByName.test(readFileSync(join(sources, name), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*|#.*/g, '')),
      )
    expect(asking).toEqual([])
  },
)
