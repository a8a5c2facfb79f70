#!/usr/bin/env node
// `npm test`: every check there is, from a bare clone; the last line is "N passed, N failed".
import './nodeVersion.mjs'

const { runEverything } = await import('./stages.mjs')
process.exitCode = await runEverything()
