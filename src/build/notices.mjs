// dist/THIRD-PARTY-NOTICES.txt and dist/bundled.json: every package whose code is in a bundle, with its licence.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import satisfies from 'spdx-satisfies'
import { root } from './bundles.mjs'

const require = createRequire(import.meta.url)

/** What may be in a bundle: licences that ask for nothing but their own text, and a notice. */
export const allowedLicences = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
  'Zlib',
]

export const noticesFile = 'dist/THIRD-PARTY-NOTICES.txt'
/** Read by the packager, which makes the SBOM of it; it does not ship. */
export const bundledFile = 'dist/bundled.json'

/**
 * @typedef {object} BundledPackage
 * @property {string} name
 * @property {string} version
 * @property {string} licence SPDX expression
 * @property {string} folder relative to the repository
 * @property {string[]} bundles files of dist/ that its code is in, sorted
 */

/**
 * The packages that have a byte in a bundle, by name and version. What is installed twice in one version is one.
 * @param {readonly import('esbuild').Metafile[]} metafiles
 * @returns {BundledPackage[]}
 */
export function bundledPackages(metafiles) {
  /** @type {Map<string, BundledPackage>} */
  const found = new Map()
  for (const { outputs } of metafiles) {
    for (const [output, { inputs }] of Object.entries(outputs)) {
      for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = packageFolder(input)
        if (folder === undefined || bytesInOutput === 0) continue
        const { name, version, license } = manifestOf(folder)
        if (typeof license !== 'string')
          throw new Error(`${folder}/package.json names no licence: ${name} cannot be bundled.`)
        if (!satisfies(license, allowedLicences))
          throw new Error(
            `${name} ${version} is licensed under ${license}, which is not in allowedLicences of ` +
              'src/build/notices.mjs: take another package, or add it after reading what it asks for.',
          )
        const key = `${name}@${version}`
        const bundled = found.get(key) ?? { name, version, licence: license, folder, bundles: [] }
        if (!bundled.bundles.includes(output)) bundled.bundles.push(output)
        bundled.bundles.sort()
        found.set(key, bundled)
      }
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

/** `node_modules/a/node_modules/@b/c/lib/x.js` → `node_modules/a/node_modules/@b/c`. @param {string} input */
export function packageFolder(input) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0]
}

/**
 * @param {string} folder @returns {{ name: string, version: string, license?: unknown, author?: string | { name?:
 * string } }}
 */
function manifestOf(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}

/** @param {readonly BundledPackage[]} packages */
export function writeNotices(packages) {
  writeFileSync(join(root, noticesFile), noticesOf(packages))
  writeFileSync(join(root, bundledFile), `${JSON.stringify(packages, undefined, 2)}\n`)
}

/** @param {readonly BundledPackage[]} packages */
export function noticesOf(packages) {
  const head = `Unhang contains code of the following ${packages.length} packages, each under its own licence.\n`
  return [
    head,
    ...packages.map(
      (one) =>
        `${'='.repeat(100)}\n${one.name} ${one.version} ` +
        `(${one.licence})\n${'='.repeat(100)}\n\n${licenceTexts(one).join('\n\n')}\n`,
    ),
  ].join('\n')
}

/**
 * Its licence, and the notices that it passes on itself.
 * @param {BundledPackage} bundled
 * @returns {string[]}
 */
function licenceTexts(bundled) {
  const files = readdirSync(join(root, bundled.folder)).sort()
  const read = (/** @type {RegExp} */ pattern) =>
    files
      .filter((file) => pattern.test(file))
      .map((file) =>
        readFileSync(join(root, bundled.folder, file), 'utf8')
          .replaceAll('\r\n', '\n')
          .trim(),
      )
  const licences = read(/^(?:licen[cs]e|copying)\b(?!.*\.[cm]?js$)/i)
  return [
    ...(licences.length > 0 ? licences : [standardText(bundled)]),
    ...read(/^(?:notice|third-?party-?notices)\b/i),
  ]
}

/**
 * The text of SPDX, in the name of the package's author: some packages name a licence and forget its file. @param
 * {BundledPackage} bundled
 */
function standardText({ name, version, licence, folder }) {
  const { author } = manifestOf(folder)
  const holder = typeof author === 'string' ? author.replace(/\s*[<(].*/, '') : author?.name
  if (holder === undefined || !/^[\w.-]+$/.test(licence))
    throw new Error(
      `${name} ${version} has no licence file, and its package.json does not say enough to write one (licence ` +
        `${licence}, author ${String(holder)}).`,
    )
  const { licenseText } = /** @type {{ licenseText: string }} */ (require(`spdx-license-list/licenses/${licence}.json`))
  const text = licenseText.replaceAll(/<year>\s*/g, '').replaceAll(/<(?:copyright holders?|owner)>/g, holder)
  if (/<[a-z ]+>/.test(text))
    throw new Error(`${name} ${version} has no licence file, and the text of ${licence} needs more than a name.`)
  return text.trim()
}
