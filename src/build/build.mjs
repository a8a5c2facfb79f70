// Bundles every entry point into dist/. Libraries are bundled too, so that the .vsix ships no node_modules.
import { build, context } from 'esbuild'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const production = process.argv.includes('--production')
const watch = process.argv.includes('--watch')
/** `--only=core,node-worker` builds some entry points and leaves the rest of dist/ as it is. */
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length).split(',')

/** dist/<name>.js ← src/<path>. `vscode` exists only inside the extension host. */
const entryPoints = {
  extension: 'src/extension/extension.ts',
  host: 'src/host/main.ts',
  cli: 'src/cli/main.ts',
  core: 'src/core/index.ts',
  'node-worker': 'src/runtimes/node/worker.ts',
}

/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  entryPoints: only ? Object.fromEntries(Object.entries(entryPoints).filter(([name]) => only.includes(name))) : entryPoints,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  external: ['vscode'],
  mainFields: ['module', 'main'],
  minify: production,
  sourcemap: production ? false : 'linked',
  logLevel: 'warning',
}

if (!only) rmSync(new URL('../../dist', import.meta.url), { recursive: true, force: true })
if (watch) {
  await (await context(options)).watch()
} else {
  await build(options)
}
