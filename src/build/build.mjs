// Bundles every entry point into dist/. Libraries are bundled too, so that the .vsix ships no node_modules.
import { build, context } from 'esbuild'
import { cpSync, rmSync } from 'node:fs'
import { bundleOptions, root } from './bundles.mjs'
import { emitDeclarations } from './declarations.mjs'
import { bundledPackages, writeNotices } from './notices.mjs'

const production = process.argv.includes('--production')
const watch = process.argv.includes('--watch')
/** `--only=core,node-worker` builds some entry points and leaves the rest of dist/ as it is. */
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',')

const builds = bundleOptions({ production, only })

if (!only) rmSync(new URL('../../dist', import.meta.url), { recursive: true, force: true })
if (!only || only.includes('python')) copyPython('python')
if (!only || only.includes('observer')) copyPython('observer')
if (watch) {
  await Promise.all(builds.map(async (options) => (await context(options)).watch()))
} else {
  const results = await Promise.all(builds.map((options) => build(options)))
  if (!only) writeNotices(bundledPackages(results.map(({ metafile }) => metafile)))
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
