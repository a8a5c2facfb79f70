#!/usr/bin/env node
// Opens the demo in a real VS Code and takes a picture of it, for whoever works on the extension:
//
//   node test/harness/look.mjs a picture of the sidebar, in test/.artifacts/screenshots node test/harness/look.mjs
//   --script FILE.ts your own steps, see below … --light --workspace FOLDER --no-build --log --keep (--keep: print the
//   address and wait for Ctrl-C)
//
// A script exports `default async ({ workbench, page, server }) => { … }` (Workbench: test/e2e/pages), for example
//   export default async ({ workbench }) => { await workbench.tasks.run('Stuck'); await workbench.screenshot('stuck') }
import './nodeVersion.mjs'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    script: { type: 'string' },
    workspace: { type: 'string' },
    light: { type: 'boolean' },
    log: { type: 'boolean' },
    keep: { type: 'boolean' },
    'no-build': { type: 'boolean' },
  },
})

const { join, resolve } = await import('node:path')
const { pathToFileURL } = await import('node:url')
const { build } = await import('esbuild')
const { run } = await import('./commands.mjs')
const { artifactsFolder, demoWorkspace, repositoryRoot } = await import('./paths.mjs')
const { startBrowser, newProfile } = await import('./browser.mjs')
const { ensureVSCode } = await import('./vscodeInstall.mjs')
const { startServer } = await import('./vscodeServer.mjs')

if (!values['no-build'])
  await run(process.execPath, [join(repositoryRoot, 'src', 'build', 'build.mjs')], { cwd: repositoryRoot })
const theme = values.light ? 'light' : 'dark'

/** Bundles TypeScript into something Node 20 can import. @param {string} entry @param {string} name */
async function load(entry, name) {
  const outfile = join(artifactsFolder, 'look', `${name}.mjs`)
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })
  return /** @type {Record<string, any>} */ (await import(pathToFileURL(outfile).href))
}

const server = await startServer({
  vscode: await ensureVSCode(),
  builtExtension: true,
  settings: { 'workbench.colorTheme': values.light ? 'Default Light Modern' : 'Default Dark Modern' },
})
const browser = await startBrowser()
try {
  const pages = await load(join(repositoryRoot, 'test', 'e2e', 'pages', 'index.ts'), 'pages')
  const page = await (await newProfile(browser, { theme })).newPage()
  if (values.log)
    page.on('console', (message) => {
      console.log(`[${message.type()}] ${message.text()}`)
    })
  const workspace = resolve(values.workspace ?? demoWorkspace)
  try {
    const workbench = await pages.Workbench.open(server, page, workspace)
    if (values.script) await (await load(resolve(values.script), 'script')).default({ workbench, page, server })
    else await workbench.openPools()
  } finally {
    // Above all when something was not found: the picture shows what was there instead.
    const picture = join(artifactsFolder, 'screenshots', `look-${theme}.png`)
    await page.screenshot({ path: picture })
    console.log(picture)
  }
  if (values.keep) {
    console.log(`${server.urlFor(workspace)}  (Ctrl-C ends it)`)
    await new Promise((done) => process.once('SIGINT', done))
  }
} finally {
  await browser.close()
  await server.stop()
}
