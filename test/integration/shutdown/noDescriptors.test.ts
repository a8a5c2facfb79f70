import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { endAfterTest, fixtures } from '../core/support'

test('a program that has no file descriptor left can still end its pool', async () => {
  const script = join(fixtures, 'no-descriptors.cjs')
  const { stdout, stderr } = await promisify(execFile)('sh', [
    '-c',
    'ulimit -n 100; exec "$0" "$1"',
    process.execPath,
    script,
  ])
  const pids = (/pids (.*)/.exec(stdout)?.[1] ?? '').split(' ').map(Number)
  for (const pid of pids) endAfterTest(pid)
  expect(pids).toHaveLength(3)
  expect(stdout).toContain('issues []')
  expect(stderr).not.toMatch(/UnhandledPromiseRejection/)
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
})
