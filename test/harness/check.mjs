#!/usr/bin/env node
// `npm run check`: what can be known within a minute, the parts side by side.
import './nodeVersion.mjs'
import { styleText } from 'node:util'
import { CommandFailedError, endCommandsOnInterrupt, run } from './commands.mjs'
import { repositoryRoot } from './paths.mjs'
import { seconds } from './steps.mjs'

endCommandsOnInterrupt()

/** @param {string} script one of package.json's @returns {Promise<boolean>} whether it held */
async function check(script) {
  const began = Date.now()
  try {
    await run('npm', ['run', '--silent', script], { cwd: repositoryRoot })
    console.log(`${styleText('green', '✓')} ${script} ${seconds(Date.now() - began)}`)
    return true
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error
    // Printed when it has ended: the lines of parts that run side by side would mix.
    console.error(`${styleText('red', '✗')} ${script} ${seconds(Date.now() - began)}\n${error.output}`)
    return false
  }
}

const held = await Promise.all(['typecheck', 'lint', 'unit'].map(check))
process.exitCode = held.every(Boolean) ? 0 : 1
