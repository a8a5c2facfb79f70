#!/usr/bin/env node
// `npm start`: a real VS Code in the browser, on the demo workspace, with a hung pool in it.
import './nodeVersion.mjs'

const { startDemo } = await import('./demo.mjs')
await startDemo()
