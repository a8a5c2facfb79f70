#!/usr/bin/env node
// `npm run integration:quick`: real processes in a few minutes, on the newest Python that is here.
import './nodeVersion.mjs'
import { join } from 'node:path'
import { CommandFailedError, endCommandsOnInterrupt, run } from './commands.mjs'
import { repositoryRoot } from './paths.mjs'
import { toolPath } from './tools.mjs'

endCommandsOnInterrupt()
try {
  await run(process.execPath, [join('src', 'build', 'build.mjs')], { cwd: repositoryRoot })
  await run(
    toolPath('vitest'),
    [
      ...['run', '--config', 'test/vitest.config.mts', '--project', 'integration', '--project', 'integration-never'],
      ...process.argv.slice(2),
    ],
    {
      cwd: repositoryRoot,
      env: { ...process.env, UNHANG_QUICK: '1', UNHANG_PYTHONS: 'newest' },
      show: true,
    },
  )
} catch (error) {
  if (!(error instanceof CommandFailedError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
