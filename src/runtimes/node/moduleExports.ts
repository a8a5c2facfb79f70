import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export type TaskFunction = (...args: unknown[]) => unknown
type Namespace = Readonly<Record<string, unknown>>

/** The task asks for an export that the module does not have, or that is not a function. */
export class MissingExportError extends Error {
  override readonly name = 'MissingExportError'
  constructor(
    readonly module: string,
    readonly exportName: string,
    readonly available: readonly string[],
  ) {
    super(
      `${module} exports no function '${exportName}'; ` +
        (available.length > 0
          ? `it exports ${available.map((name) => `'${name}'`).join(', ')}`
          : 'it exports no function at all'),
    )
  }
}

/** Loads a CommonJS or ES module by absolute path. Throws what the module throws while it loads. */
export async function loadModule(path: string): Promise<Namespace> {
  // Node's loader of ES modules adds several milliseconds to each worker's start; CommonJS modules avoid it.
  if (isCommonJs(path)) return { default: createRequire(path)(path) as unknown }
  return (await import(pathToFileURL(path).href)) as Namespace
}

/** Only when it is certain: `import()` loads both kinds. */
function isCommonJs(path: string): boolean {
  switch (extname(path)) {
    case '.cjs':
      return true
    case '.js':
      return (
        !isEsPackage(path) && !/^\s*(?:import|export)\b|\bimport\.meta\b|^\s*await\b/m.test(readFileSync(path, 'utf8'))
      )
    default:
      return false
  }
}

/** What Node goes by for `.js`: `"type": "module"` in the nearest package.json. */
function isEsPackage(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown }).type === 'module'
    if (dirname(folder) === folder) return false
  }
}

/**
 * An exported function by name. `import()` shows a CommonJS module as `default` plus the names it can guess, so other
 * names are looked up on `default`. 'default' also means the only function of a module that exports one.
 * @throws MissingExportError
 */
export function findExport(path: string, namespace: Namespace, name: string): TaskFunction {
  const inner = namespace.default
  const direct = namespace[name]
  if (typeof direct === 'function') return direct as TaskFunction
  if (isObject(inner) && typeof inner[name] === 'function') return (inner[name] as TaskFunction).bind(inner)
  const available = exportedFunctions(namespace)
  const only = available[0]
  if (name === 'default' && available.length === 1 && only !== undefined) return findExport(path, namespace, only)
  throw new MissingExportError(path, name, available)
}

/** Names of all functions a module exports, for messages. */
export function exportedFunctions(namespace: Namespace): string[] {
  const names = new Set<string>()
  const inner = namespace.default
  for (const source of [namespace, ...(isObject(inner) ? [inner] : [])]) {
    for (const name of Object.keys(source)) {
      if (typeof source[name] === 'function') names.add(name)
    }
  }
  return [...names]
}

function isObject(value: unknown): value is Namespace {
  return value !== null && (typeof value === 'object' || typeof value === 'function')
}
