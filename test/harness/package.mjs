#!/usr/bin/env node
// `npm run package`: unhang-<version>.vsix in the checkout, what is in it, and the SBOM beside it.
import './nodeVersion.mjs'

const { packageExtension, checkPackage, sbomPath, shipList } = await import('./packageExtension.mjs')
const vsix = await packageExtension()
for (const file of await shipList()) console.log(`  ${file}`)
for (const { check, problem } of await checkPackage(vsix)) {
  console.log(problem ? `✗ ${check}: ${problem}` : `✓ ${check}`)
  if (problem) process.exitCode = 1
}
console.log(vsix)
console.log(sbomPath())
