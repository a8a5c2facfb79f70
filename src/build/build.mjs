// Bundles every entry point into dist/. Libraries are bundled too, so that the .vsix ships no node_modules.
import { build, context } from 'esbuild'
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { emitDeclarations } from './declarations.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const production = process.argv.includes('--production')
const watch = process.argv.includes('--watch')
/** `--only=core,node-worker` builds some entry points and leaves the rest of dist/ as it is. */
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length).split(',')

/** dist/<name>.js ← src/<path>. */
const entryPoints = {
  host: 'src/host/main.ts',
  cli: 'src/cli/main.ts',
  core: 'src/core/index.ts',
  'node-worker': 'src/runtimes/node/worker.ts',
  'file-reader': 'src/files/reader/thread.ts',
  'host-watchdog': 'src/host/watchdog/thread.ts',
}

/** What runs in VS Code's extension host; `vscode` exists only there. */
const extensionEntryPoints = {
  extension: 'src/extension/extension.ts',
  // Loaded when a host is first needed: it is most of the extension's code, and activation must not pay for it.
  'extension-client': 'src/extension/client/languageConnection.ts',
}

/**
 * Leaves `import('./languageConnection')` to run time, as a file of its own (esbuild splits no CommonJS).
 * @type {import('esbuild').Plugin}
 */
const lazyClient = {
  name: 'lazy-client',
  setup({ onResolve }) {
    onResolve({ filter: /\/languageConnection$/ }, ({ kind }) => (kind === 'dynamic-import' ? { path: './extension-client.js', external: true } : undefined))
  },
}

/** @type {import('esbuild').BuildOptions} */
const shared = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  mainFields: ['module', 'main'],
  // fdir (of tinyglobby) makes a `require` from it on load; CommonJS has none, and esbuild would leave it empty.
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  minify: production,
  sourcemap: production ? false : 'linked',
  logLevel: 'warning',
}

/** @type {import('esbuild').BuildOptions[]} */
const builds = [
  { ...shared, entryPoints },
  {
    ...shared,
    entryPoints: extensionEntryPoints,
    external: ['vscode'],
    plugins: [lazyClient],
    // As require(): a file that VS Code's import() loads would not be given its `vscode`.
    supported: { 'dynamic-import': false },
  },
].map((options) => (only ? { ...options, entryPoints: Object.fromEntries(Object.entries(options.entryPoints).filter(([name]) => only.includes(name))) } : options))
  .filter((options) => Object.keys(options.entryPoints).length > 0)

if (!only) rmSync(new URL('../../dist', import.meta.url), { recursive: true, force: true })
if (!only || only.includes('python')) copyPython('python')
if (!only || only.includes('observer')) copyPython('observer')
if (watch) {
  await Promise.all(builds.map(async (options) => (await context(options)).watch()))
} else {
  await Promise.all(builds.map((options) => build(options)))
}
if (!only || only.includes('types')) emitDeclarations(root)

/**
 * dist/<name> ← src/runtimes/<name>: nothing is bundled, an interpreter reads it as it is.
 * @param {'python' | 'observer'} name
 */
function copyPython(name) {
  cpSync(new URL(`../runtimes/${name}`, import.meta.url), new URL(`../../dist/${name}`, import.meta.url), {
    recursive: true,
    filter: (source) => !/__pycache__|\.(ts|md)$/.test(source),
  })
}
