// Production build and .vsix: what a user installs.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledFile } from '../../src/build/notices.mjs'
import { run } from './commands.mjs'
import { repositoryRoot } from './paths.mjs'
import { sbomOf } from './sbom.mjs'
import { toolPath } from './tools.mjs'

/** From the issue: an extension that starts fast is small. */
export const vsixBudgetBytes = 1.5 * 1024 * 1024

/** What may ship … */
const shippable = [
  /^package\.json$/,
  /^package\.nls(\.[\w-]+)?\.json$/,
  /^(README|CHANGELOG|SUPPORT)\.md$/i,
  /^LICENSE(\.\w+)?$/i,
  /^dist\/THIRD-PARTY-NOTICES\.txt$/,
  /^dist\/[\w./-]+\.(js|cjs|d\.ts|py)$/,
  /^media\/[\w./-]+\.(svg|png|md)$/,
  /^l10n\/[\w.-]+\.json$/,
]
/** … and what must. */
const required = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'dist/THIRD-PARTY-NOTICES.txt',
  'dist/extension.js',
  'dist/host.js',
  'dist/cli.js',
  'dist/core.js',
  'dist/node-worker.js',
  'dist/file-reader.js',
  'dist/host-watchdog.js',
  'dist/system-information.js',
  'dist/python/worker.py',
  'dist/observer/sitecustomize.py',
  'dist/observer/unhang_observer/hooks.py',
  'dist/observer/nodeObserver.cjs',
]

/** @returns {{ name: string, version: string, repository?: unknown }} */
function manifest() {
  return /** @type {{ name: string, version: string, repository?: unknown }} */ (
    JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))
  )
}

/** Where the package is written. */
export function vsixPath() {
  const { name, version } = manifest()
  return join(repositoryRoot, `${name}-${version}.vsix`)
}

/** Where the list of what the package contains is written: CycloneDX, beside the .vsix. */
export function sbomPath() {
  return vsixPath().replace(/\.vsix$/, '.cdx.json')
}

/**
 * Builds for production and packages; libraries are in the bundles, so no node_modules ship.
 * @returns {Promise<string>} the .vsix
 */
export async function packageExtension() {
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    if (!existsSync(join(repositoryRoot, file))) throw new Error(`${file} is missing, and the package needs it.`)
  }
  const out = vsixPath()
  rmSync(out, { force: true })
  await run(process.execPath, [join(repositoryRoot, 'src', 'build', 'build.mjs'), '--production'], {
    cwd: repositoryRoot,
    timeoutMs: 5 * 60_000,
  })
  // Without a repository's address there is nothing that the README's relative links could be rewritten to.
  const links = manifest().repository ? [] : ['--allow-missing-repository', '--no-rewrite-relative-links']
  await run(toolPath('vsce'), ['package', '--no-dependencies', ...links, '--out', out], {
    cwd: repositoryRoot,
    timeoutMs: 5 * 60_000,
  })
  writeFileSync(sbomPath(), sbomOf(JSON.parse(readFileSync(join(repositoryRoot, bundledFile), 'utf8'))))
  return out
}

/** The packager's list of what ships. @returns {Promise<string[]>} */
export async function shipList() {
  const printed = await run(toolPath('vsce'), ['ls', '--no-dependencies'], { cwd: repositoryRoot, timeoutMs: 60_000 })
  return printed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[\w.][\w./-]*$/.test(line))
}

/**
 * What is wrong with the package, one sentence each; nothing when all is well.
 * @param {string} vsix
 * @returns {Promise<{ check: string, problem: string | null }[]>}
 */
export async function checkPackage(vsix) {
  const files = await shipList()
  const strangers = files.filter((file) => !shippable.some((pattern) => pattern.test(file)))
  const missing = required.filter((file) => !files.some((found) => found.toLowerCase() === file.toLowerCase()))
  const bytes = statSync(vsix).size
  return [
    {
      check: 'only what is meant to ships',
      problem: strangers.length > 0 ? `these would ship as well: ${strangers.join(', ')} (see .vscodeignore)` : null,
    },
    {
      check: 'everything needed ships',
      problem: missing.length > 0 ? `missing from the package: ${missing.join(', ')}` : null,
    },
    {
      check: `the .vsix is within ${vsixBudgetBytes / 1024} KiB (${Math.round(bytes / 1024)} KiB)`,
      problem: bytes > vsixBudgetBytes ? `${vsix} has ${bytes} bytes` : null,
    },
  ]
}
