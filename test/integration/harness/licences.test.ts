import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { build } from 'esbuild'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleOptions, root } from '../../../src/build/bundles.mjs'
import { bundledPackages, noticesOf, type BundledPackage } from '../../../src/build/notices.mjs'
import { shipList } from '../../harness/packageExtension.mjs'
import { sbomOf } from '../../harness/sbom.mjs'

/** For these a copy of the text is enough: read one before it is added. */
const allowed = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', '0BSD']

/**
 * Name and version of each package in the bundles, found without the code under test: esbuild writes the path of every
 * module above it.
 */
let inBundles: string[]
let packages: BundledPackage[]
beforeAll(async () => {
  const results = await Promise.all(
    bundleOptions().map((options) => build({ ...options, write: false, sourcemap: false })),
  )
  packages = bundledPackages(results.map(({ metafile }) => metafile))
  const folders = results.flatMap(({ outputFiles }) =>
    outputFiles.flatMap(({ text }) =>
      [...text.matchAll(/^ *\/\/ (node_modules\/\S+)$/gm)].map(([, path = '']) =>
        path
          .split('/')
          .slice(
            0,
            path.split('/').lastIndexOf('node_modules') +
              (/node_modules\/@[^/]+\/(?!.*node_modules\/)/.test(path) ? 3 : 2),
          )
          .join('/'),
      ),
    ),
  )
  inBundles = [
    ...new Set(
      folders.map((folder) => {
        const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
          name: string
          version: string
        }
        return `${name}@${version}`
      }),
    ),
  ].sort()
})

const names = (all: readonly { name: string; version: string }[]) =>
  all.map(({ name, version }) => `${name}@${version}`).sort()

describe('the notices', () => {
  it('have every package whose code is in a bundle, and no other', () => {
    expect(inBundles.length).toBeGreaterThan(20)
    const headings = [...noticesOf(packages).matchAll(/^(\S+) (\S+) \([^)]+\)$/gm)]
      .map(([, name, version]) => `${name}@${version}`)
      .sort()
    expect(headings).toEqual(inBundles)
  })
  it('have the text of each licence', () => {
    const sections = noticesOf(packages)
      .split(/^={100}\n.*\n={100}\n/m)
      .slice(1)
    expect(sections).toHaveLength(packages.length)
    for (const section of sections) expect(section).toMatch(/copyright|Blue Oak Model License/i)
    for (const section of sections) expect(section.length).toBeGreaterThan(500)
  })
  it('name licences only that ask for nothing but their text', () => {
    expect(packages.filter(({ licence }) => !allowed.includes(licence))).toEqual([])
  })
  it('are of this build, and ship', async () => {
    expect(readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8')).toBe(noticesOf(packages))
    const files = await shipList()
    expect(files).toContain('dist/THIRD-PARTY-NOTICES.txt')
    expect(files.filter((file) => file.endsWith('.json') && file.startsWith('dist/'))).toEqual([])
  })
})

describe('the build', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'unhang-licences-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const bundledWith = (name: string, manifest: Record<string, string>): BundledPackage[] => {
    const installed = join(folder, 'node_modules', name)
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'package.json'), JSON.stringify({ name, ...manifest }))
    return bundledPackages([
      {
        inputs: {},
        outputs: {
          'dist/x.js': {
            bytes: 1,
            inputs: { [relative(root, join(installed, 'index.js'))]: { bytesInOutput: 1 } },
            imports: [],
            exports: [],
          },
        },
      },
    ])
  }
  it('fails by name for a package under a licence that is not allowed', () => {
    expect(() => bundledWith('copyleft', { version: '1.0.0', license: 'GPL-3.0-only' })).toThrow(
      /copyleft 1\.0\.0 is licensed under GPL-3\.0-only/,
    )
  })
  it('fails by name for a package without a licence, or with one that cannot be written', () => {
    expect(() => bundledWith('unlicensed', { version: '1.0.0' })).toThrow(/unlicensed cannot be bundled/)
    expect(() => noticesOf(bundledWith('nobodys', { version: '2.0.0', license: 'MIT' }))).toThrow(
      /nobodys 2\.0\.0 has no licence file/,
    )
  })
})

describe('the SBOM', () => {
  it('follows the schema of CycloneDX', async () => {
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(sbomOf(packages))).toBeNull()
  })
  it('lists exactly the bundled packages, with version and licence', () => {
    const { components, metadata } = JSON.parse(sbomOf(packages)) as {
      components: {
        group?: string
        name: string
        version: string
        purl: string
        licenses: { license: { id: string } }[]
      }[]
      metadata: Record<string, unknown>
    }
    expect(
      names(
        components.map(({ group, name, version }) => ({
          name: group === undefined ? name : `${group}/${name}`,
          version,
        })),
      ),
    ).toEqual(inBundles)
    expect(components.find(({ name }) => name === 'l10n')).toMatchObject({
      purl: expect.stringMatching(/^pkg:npm\/%40vscode\/l10n@/) as unknown,
      licenses: [{ license: { id: 'MIT' } }],
    })
    expect(metadata).toMatchObject({ component: { name: 'unhang', type: 'application' } })
  })
  it('is the same for the same packages', () => {
    expect(sbomOf(packages)).toBe(sbomOf(packages))
    expect(sbomOf(packages)).not.toMatch(/timestamp|serialNumber/)
  })
})
