/**
 * The rooms of the house and what each may import (src/README.md has the same table in words; a unit test compares them).
 * dependency-cruiser, because it resolves the paths of imports, and finds circles of folders as well as of files.
 * @type {Record<string, readonly string[]>}
 */
export const mayImport = {
  files: [],
  processes: [],
  diagnosis: ['processes'],
  runtimes: ['processes', 'files'],
  shutdown: ['processes', 'files'],
  core: ['diagnosis', 'shutdown', 'runtimes', 'processes', 'files'],
  protocol: [],
  discovery: ['protocol'],
  words: ['protocol'],
  host: ['protocol', 'discovery', 'core', 'diagnosis', 'shutdown', 'runtimes', 'processes', 'files'],
  cli: ['words', 'protocol', 'discovery', 'files'],
  extension: ['words', 'protocol', 'discovery'],
}

const rooms = Object.keys(mayImport)

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...rooms.map((room) => ({
      name: `imports-of-${room}`,
      severity: /** @type {const} */ ('error'),
      comment: `src/${room} may import ${mayImport[room]?.join(', ') || 'no other room'}: see .dependency-cruiser.mjs.`,
      from: { path: `^src/${room}/` },
      to: { path: '^(src|test)/', pathNot: `^src/(${[room, ...(mayImport[room] ?? [])].join('|')})/` },
    })),
    {
      name: 'only-the-index',
      severity: 'error',
      comment: "A room's face is its index.ts: import from there, or export there what is missing.",
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/([^/]+)/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'vscode-in-extension-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/extension/' },
      to: { path: '(^vscode$|node_modules/@types/vscode/)' },
    },
    { name: 'no-circle-of-files', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'no-circle-of-folders',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'resolves',
      severity: 'error',
      comment: 'The import leads to no file: without it the other rules would not see what is imported.',
      from: { path: '^src/' },
      to: { couldNotResolve: true, pathNot: '^vscode$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Types count as well: a circle of types is one that a reader must hold in the head.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
