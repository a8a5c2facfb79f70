// The list of what the package contains, as CycloneDX: scanners for licences and vulnerabilities read it.
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PackageURL } from 'packageurl-js'
import { repositoryRoot } from './paths.mjs'

/**
 * Exactly the packages that are bundled. The same for the same packages: no time and no serial number.
 * @param {readonly import('../../src/build/notices.mjs').BundledPackage[]} packages
 */
export function sbomOf(packages) {
  const { name, version, description, license } =
    /** @type {Record<'name' | 'version' | 'description' | 'license', string>} */ (
      JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))
    )
  const unhang = new Models.Component(Enums.ComponentType.Application, name, {
    version,
    description,
    bomRef: `${name}@${version}`,
    licenses: licence(license),
  })
  const components = packages.map((one) => {
    const [, group, local = one.name] = /^(@[^/]+)\/(.+)$/.exec(one.name) ?? []
    return new Models.Component(Enums.ComponentType.Library, local, {
      version: one.version,
      bomRef: `${one.name}@${one.version}`,
      licenses: licence(one.licence),
      purl: new PackageURL('npm', group, local, one.version).toString(),
      ...(group === undefined ? {} : { group }),
      properties: new Models.PropertyRepository(
        one.bundles.map((bundle) => new Models.Property('unhang:bundle', bundle)),
      ),
    })
  })
  // Each is a part of the one program: who of them needs whom is nothing that a reader could change.
  for (const { bomRef } of components) unhang.dependencies.add(bomRef)
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: unhang }),
    components: new Models.ComponentRepository(components),
  })
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}

/** @param {string} expression */
function licence(expression) {
  return new Models.LicenseRepository([
    /^[\w.-]+$/.test(expression) ? new Models.SpdxLicense(expression) : new Models.LicenseExpression(expression),
  ])
}
