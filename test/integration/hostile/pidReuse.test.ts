import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const repository = resolve(import.meta.dirname, '../../..')
/** A namespace of its own, with a counter of pids of its own: the machine's stays as it is. */
const inNamespace = (...command: string[]) =>
  spawnSync('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', ...command], {
    encoding: 'utf8',
    timeout: 60_000,
  })
/** Needs root (or CAP_SYS_ADMIN) and unshare. */
const possible = inNamespace('sh', '-c', 'echo 900 > /proc/sys/kernel/ns_last_pid').status === 0

describe.skipIf(!possible)('a pid that is given to a stranger', { retry: 0 }, () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'unhang-reuse-'))
    await build({
      absWorkingDir: repository,
      entryPoints: ['test/fixtures/hostile/pidReuse.ts'],
      outfile: join(folder, 'pidReuse.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      mainFields: ['module', 'main'],
      logLevel: 'error',
    })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it(
    'is not the process that was recorded: it is no survivor, and no terminate, no kill and no ' + 'signal reaches it',
    () => {
      const { stdout, stderr } = inNamespace(process.execPath, join(folder, 'pidReuse.cjs'))
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toEqual({
        reused: true,
        alive: false,
        survivors: 0,
        issues: [],
        signals: ['reused', 'reused', 'reused'],
        untouched: true,
        ledger: 0,
        control: expect.any(Number) as unknown,
      })
      expect((JSON.parse(stdout) as { control: number }).control).toBeGreaterThan(0)
    },
  )
})
