// What is bundled into dist/, for the build and for whoever asks what is in it.
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** dist/<name>.js ← src/<path>. */
const entryPoints = {
  host: 'src/host/main.ts',
  cli: 'src/cli/main.ts',
  core: 'src/core/index.ts',
  'file-reader': 'src/files/reader/thread.ts',
  'host-watchdog': 'src/host/watchdog/thread.ts',
  // Loaded when the machine's load is first measured, or when there is no /proc.
  'system-information': 'src/processes/systemInformation.ts',
}

/** What imports modules of users, which `require()` could not do. */
const workerEntryPoints = { 'node-worker': 'src/runtimes/node/worker.ts' }

/** What runs in VS Code's extension host; `vscode` exists only there. */
const extensionEntryPoints = {
  extension: 'src/extension/extension.ts',
  // Loaded when a host is first needed: it is most of the extension's code, and activation must not pay for it.
  'extension-client': 'src/extension/client/languageConnection.ts',
}

/** dist/<name>.js ← the module that is imported when it is first needed. */
const lazyModules = {
  'extension-client': /\/languageConnection$/,
  'system-information': /\/systemInformation$/,
}

/**
 * Leaves an `import()` of these modules to run time, as files of their own (esbuild splits no CommonJS).
 * @type {import('esbuild').Plugin}
 */
const lazyBundles = {
  name: 'lazy-bundles',
  setup({ onResolve }) {
    for (const [name, filter] of Object.entries(lazyModules))
      onResolve({ filter }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: `./${name}.js`, external: true } : undefined,
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
  const common = { ...shared, mainFields: ['module', 'main'], plugins: [lazyBundles] }
  // `import()` as require(), which works wherever the file that calls it was loaded: a file that VS Code's import()
  // loads would not be given its `vscode`, and a vm context (of a test runner) may allow no import() at all.
  const required = { supported: { 'dynamic-import': false } }
  /** @type {BundleOptions[]} */
  const builds = [
    { ...common, ...required, entryPoints },
    { ...common, entryPoints: workerEntryPoints },
    { ...common, ...required, entryPoints: extensionEntryPoints, external: ['vscode'] },
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
