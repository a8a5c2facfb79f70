// `npm run contributions`: writes the pool task's schema and its texts into package.json and package.nls.json.
// The schema itself is src/protocol/definition.ts; a unit test fails when the two differ.
import { build } from 'esbuild'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../..', import.meta.url)
const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: ['src/extension/contributions/taskDefinition.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  write: false,
  logLevel: 'warning',
})
const module = {
  exports:
    /** @type {{ taskDefinitionContribution?: () => { definition: unknown, texts: Record<string, string> } }} */ ({}),
}
new Function('module', 'exports', 'require', outputFiles[0]?.text ?? '')(
  module,
  module.exports,
  createRequire(import.meta.url),
)
const contribution = module.exports.taskDefinitionContribution?.()
if (!contribution)
  throw new Error('src/extension/contributions/taskDefinition.ts exports no taskDefinitionContribution().')

/** @param {string} name @param {(content: any) => unknown} change */
function rewrite(name, change) {
  const file = new URL(name, root)
  writeFileSync(file, `${JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8'))), undefined, 2)}\n`)
}
rewrite('package.json', (manifest) => ({
  ...manifest,
  contributes: { ...manifest.contributes, taskDefinitions: [contribution.definition] },
}))
rewrite('package.nls.json', (texts) => ({
  ...Object.fromEntries(Object.entries(texts).filter(([key]) => !key.startsWith('taskDefinition.'))),
  ...contribution.texts,
}))
