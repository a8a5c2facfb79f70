/**
 * The rooms of the house and what each may import. src/README.md has the same table in words.
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

/** The second face of src/protocol: what the host checks messages and definitions with. */
const schemas = '^src/protocol/schemas\\.ts$'
/** Makes package.json from the schema of the pool task; in no bundle. */
const taskDefinition = '^src/extension/contributions/taskDefinition\\.ts$'

/** The files of protocol that load zod. */
const schemaFiles = ['requests', 'initialization', 'nul', 'termination', 'definition', 'schemas']

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
      to: { path: '^src/([^/]+)/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', schemas] },
    },
    {
      name: 'schemas-in-the-host-only',
      severity: 'error',
      comment: 'Schemas load zod, half of what a client needs to load without it. (taskDefinition.ts is of the build.)',
      from: { path: '^src/', pathNot: ['^src/(protocol|host)/', taskDefinition] },
      to: { path: schemas },
    },
    {
      name: 'clients-without-zod',
      severity: 'error',
      from: { path: '^src/(cli|extension|discovery|words)/', pathNot: taskDefinition },
      to: { path: '(^zod$|node_modules/zod/)' },
    },
    {
      name: 'index-of-protocol-without-zod',
      severity: 'error',
      comment: 'The index may take types from the schemas; a value would bring zod into every client.',
      from: { path: '^src/protocol/(index|messages|results|snapshot|bounds|applyDelta|failureReason|verdicts)\\.ts$' },
      to: {
        path: ['(^zod$|node_modules/zod/)', `^src/protocol/(${schemaFiles.join('|')})\\.ts$`],
        dependencyTypesNot: ['type-only'],
      },
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
