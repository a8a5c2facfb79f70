// What is bundled into dist/, for the build and for whoever asks what is in it.
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** dist/<name>.js ← src/<path>. */
const entryPoints = {
  host: 'src/host/main.ts',
  cli: 'src/cli/main.ts',
  core: 'src/core/index.ts',
  'node-worker': 'src/runtimes/node/worker.ts',
  'file-reader': 'src/files/reader/thread.ts',
  'host-watchdog': 'src/host/watchdog/thread.ts',
}

/** What runs in VS Code's extension host; `vscode` exists only there. */
const extensionEntryPoints = {
  extension: 'src/extension/extension.ts',
  // Loaded when a host is first needed: it is most of the extension's code, and activation must not pay for it.
  'extension-client': 'src/extension/client/languageConnection.ts',
}

/**
 * Leaves `import('./languageConnection')` to run time, as a file of its own (esbuild splits no CommonJS).
 * @type {import('esbuild').Plugin}
 */
const lazyClient = {
  name: 'lazy-client',
  setup({ onResolve }) {
    onResolve({ filter: /\/languageConnection$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './extension-client.js', external: true } : undefined,
    )
  },
}

/**
 * @typedef {Omit<import('esbuild').BuildOptions, 'entryPoints'> & { entryPoints: Record<string, string>, metafile: true
 * }} BundleOptions
 */

/**
 * One set of options a build; together they make every bundle of dist/.
 * @param {{ production?: boolean, only?: readonly string[] | undefined }} [choice] `only`: names of the bundles that
 * are wanted
 * @returns {BundleOptions[]}
 */
export function bundleOptions({ production = false, only } = {}) {
  /** @satisfies {import('esbuild').BuildOptions} */
  const shared = /** @type {const} */ ({
    absWorkingDir: root,
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    // fdir (of tinyglobby) makes a `require` from it on load; CommonJS has none, and esbuild would leave it empty.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    minify: production,
    sourcemap: production ? false : 'linked',
    logLevel: 'warning',
    metafile: true,
  })
  /** @type {BundleOptions[]} */
  const builds = [
    { ...shared, mainFields: ['module', 'main'], entryPoints },
    {
      ...shared,
      mainFields: ['module', 'main'],
      entryPoints: extensionEntryPoints,
      external: ['vscode'],
      plugins: [lazyClient],
      // As require(): a file that VS Code's import() loads would not be given its `vscode`.
      supported: { 'dynamic-import': false },
    },
  ]
  return builds
    .map((options) =>
      only
        ? {
            ...options,
            entryPoints: Object.fromEntries(
              Object.entries(options.entryPoints).filter(([name]) => only.includes(name)),
            ),
          }
        : options,
    )
    .filter((options) => Object.keys(options.entryPoints).length > 0)
}
