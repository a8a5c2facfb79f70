// A target as a bundle that counts: which statements and branches of the parsers ran, and how often.
import { build, transform } from 'esbuild'
import { createInstrumenter } from 'istanbul-lib-instrument'
import { readFile } from 'node:fs/promises'
import { repositoryRoot } from '../harness/paths.mjs'

/** Where the counters are, in the thread that runs the target. */
export const counters = '__unhangFuzzCounters__'

/**
 * @param {string} source a file that exports `target`
 * @param {string} outfile
 */
export async function buildTarget(source, outfile) {
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    plugins: [
      {
        name: 'counters',
        setup({ onLoad }) {
          // Our own sources; what a library does is not what is looked for.
          onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
            if (path.includes('node_modules')) return undefined
            const { code } = await transform(await readFile(path, 'utf8'), {
              loader: 'ts',
              target: 'node20.19',
              sourcefile: path,
            })
            const instrumenter = createInstrumenter({
              esModules: true,
              compact: true,
              produceSourceMap: false,
              coverageVariable: counters,
              coverageGlobalScope: 'globalThis',
              coverageGlobalScopeFunc: false,
            })
            return { contents: instrumenter.instrumentSync(code, path), loader: 'js' }
          })
        },
      },
    ],
  })
}
