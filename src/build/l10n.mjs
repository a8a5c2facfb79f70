// `npm run l10n`: writes l10n/bundle.l10n.json, the texts of the code that a translation gives in another language.
// (Those of package.json are in package.nls.json.) A unit test fails when the file is out of date.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const bundleFile = join(root, 'l10n', 'bundle.l10n.json')

/**
 * Every text that is given to `l10n.t` in src/extension, sorted.
 * @returns {string[]}
 */
export function collectTexts() {
  const folder = join(root, 'src', 'extension')
  const texts = new Set(/** @type {string[]} */ ([]))
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const source = ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.Latest)
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isCallExpression(node) && node.expression.getText(source) === 'l10n.t') {
        const [text] = node.arguments
        if (!text || !ts.isStringLiteralLike(text))
          throw new Error(
            `${name}: l10n.t() needs a literal text, so that it can be translated: ${node.getText(source)}`,
          )
        texts.add(text.text)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return [...texts].sort()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(
    bundleFile,
    `${JSON.stringify(Object.fromEntries(collectTexts().map((text) => [text, text])), undefined, 2)}\n`,
  )
}
