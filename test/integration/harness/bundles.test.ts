import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, type Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleOptions } from '../../../src/build/bundles.mjs'

/** From the issue: a program that only wants pools reads no more than this. */
const mostCoreBytes = 0.4e6

let outputs: Metafile['outputs']
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-bundles-'))
  const results = await Promise.all(
    bundleOptions({ production: true, only: ['core', 'host', 'system-information'] }).map((options) =>
      build({ ...options, outdir: folder }),
    ),
  )
  outputs = Object.fromEntries(
    results
      .flatMap(({ metafile }) => Object.entries(metafile.outputs))
      .map(([path, output]) => [path.replace(/^.*\//, ''), output]),
  )
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function packagesIn(name: string): Set<string | undefined> {
  return new Set(
    Object.keys(outputs[name]?.inputs ?? {}).map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]),
  )
}

describe('the bundles', () => {
  test.each(['core.js', 'host.js'])('have systeminformation in a file of its own, not in %s', (name) => {
    expect(packagesIn('system-information.js')).toContain('systeminformation')
    expect(packagesIn(name)).not.toContain('systeminformation')
  })

  test('have a small core', () => {
    expect(outputs['core.js']?.bytes).toBeLessThanOrEqual(mostCoreBytes)
  })

  test('find that file beside the core, from a process table that needs it', async () => {
    const alone = join(folder, 'alone')
    for (const name of ['core.js', 'system-information.js']) cpSync(join(folder, name), join(alone, name))
    const program = `
      Object.defineProperty(process, 'platform', { value: 'freebsd' })
      const { Pool } = require(${JSON.stringify(join(alone, 'core.js'))})
      const pool = new Pool({ command: ['sleep', '\${item}'], processes: 1 })
      const result = pool.runItem('1', 0).get().catch(() => undefined)
      pool.once('workerStart', async () => {
        await pool.terminate()
        await result
        console.log(Object.keys(require.cache).some((path) => path.endsWith('system-information.js')))
      })`
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { timeout: 30_000 })
    expect(stdout).toBe('true\n')
  })
})
