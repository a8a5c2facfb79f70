// Second step of `npm run l10n`: adds the templates of src/diagnosis to l10n/bundle.l10n.json. @vscode/l10n-dev finds
// arguments of l10n.t() only; diagnosis has message() instead, since the host makes the texts and does not translate.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bundleFile = join(root, 'l10n', 'bundle.l10n.json')

/**
 * The first argument of every `message()` in src/diagnosis, sorted.
 * @returns {string[]}
 * @throws Error when it is neither a literal nor a sum of literals.
 */
export function verdictTemplates() {
  const folder = join(root, 'src', 'diagnosis')
  const texts = new Set(/** @type {string[]} */ ([]))
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const source = ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.Latest)
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isCallExpression(node) && node.expression.getText(source) === 'message') {
        const text = node.arguments[0] && literalText(node.arguments[0])
        if (text === undefined)
          throw new Error(
            `${name}: message() needs a literal text, so that it can be translated: ${node.getText(source)}`,
          )
        texts.add(text)
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return [...texts].sort()
}

/**
 * @param {ts.Expression} node
 * @returns {string | undefined}
 */
function literalText(node) {
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
  const [left, right] = [literalText(node.left), literalText(node.right)]
  return left === undefined || right === undefined ? undefined : left + right
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const texts = Object.fromEntries(verdictTemplates().map((text) => [text, text]))
  const bundle = { ...JSON.parse(readFileSync(bundleFile, 'utf8')), ...texts }
  writeFileSync(bundleFile, `${JSON.stringify(bundle, undefined, 2)}\n`)
}
