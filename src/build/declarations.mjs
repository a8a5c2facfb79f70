// Types beside dist/core.js: dist/types/ holds a declaration for every module of the core's public API, dist/core.d.ts
// leads there.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

/**
 * Emits without checking (`npm run typecheck` does that): about a second instead of many.
 * @param {string} root the repository
 */
export function emitDeclarations(root) {
  const entry = join(root, 'src/core/index.ts')
  const configFile = join(root, 'tsconfig.json')
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(configFile, ts.sys.readFile).config, ts.sys, root)
  const program = ts.createProgram([entry], {
    ...options,
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    types: ['node'],
    rootDir: join(root, 'src'),
    outDir: join(root, 'dist/types'),
  })
  /** @type {Map<string, string>} */
  const files = new Map()
  const { diagnostics } = program.emit(undefined, (path, text) => {
    files.set(path, text)
  })
  if (diagnostics.length > 0) {
    throw new Error(
      ts.formatDiagnostics(diagnostics, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => root,
        getNewLine: () => '\n',
      }),
    )
  }
  for (const path of reachable(join(root, 'dist/types/core/index.d.ts'), files)) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(
      path,
      (files.get(path) ?? '').replace(/(?<=(?:from|import) ')\.[^']*(?=')/g, (specifier) =>
        withExtension(path, specifier, files),
      ),
    )
  }
  writeFileSync(join(root, 'dist/core.d.ts'), "export * from './types/core/index.js'\n")
}

/**
 * Modules that no public declaration refers to are left out.
 * @param {string} entry @param {ReadonlyMap<string, string>} files
 */
function reachable(entry, files) {
  const found = new Set([entry])
  for (const path of found) {
    for (const [specifier] of (files.get(path) ?? '').matchAll(/(?<=(?:from|import) ')\.[^']*(?=')/g)) {
      const target = targetOf(path, specifier, files)
      if (target !== undefined) found.add(target)
    }
  }
  return found
}

/** @param {string} from @param {string} specifier @param {ReadonlyMap<string, string>} files */
function targetOf(from, specifier, files) {
  const path = resolve(dirname(from), specifier)
  return [`${path}.d.ts`, join(path, 'index.d.ts')].find((candidate) => files.has(candidate))
}

/**
 * Written out in full, so that they resolve under every `moduleResolution`.
 * @param {string} from @param {string} specifier @param {ReadonlyMap<string, string>} files
 */
function withExtension(from, specifier, files) {
  const target = targetOf(from, specifier, files)
  if (target === undefined) return specifier
  const path = relative(dirname(from), target)
    .replaceAll('\\', '/')
    .replace(/\.d\.ts$/, '.js')
  return path.startsWith('.') ? path : `./${path}`
}
