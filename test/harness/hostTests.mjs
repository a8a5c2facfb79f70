#!/usr/bin/env node
// `npm run host-tests [-- TITLE]`: the tests that run inside VS Code's extension host, alone.
import './nodeVersion.mjs'
import { runExtensionHostTests } from './extensionHost.mjs'

const grep = process.argv[2]
const report = await runExtensionHostTests(grep ? { grep } : {})
console.log(`${report.passed} passed, ${report.failed} failed`)
process.exitCode = report.failed > 0 || report.passed === 0 ? 1 : 0
