/** What is known of a process that Unhang did not start. */
export interface ProcessFacts {
  /** Its arguments, or the title it gave itself as the only one; null when they cannot be read. */
  readonly commandLine: readonly string[] | null
  /** The kernel's short name, 15 characters on Linux. */
  readonly command: string
  /** Its parent's arguments; null when there is no parent worth looking at, or they cannot be read. */
  readonly parentCommandLine: readonly string[] | null
}

/** What a process is, as far as its command line tells. */
export interface RecognisedProcess {
  readonly kind: 'python' | 'node' | 'other'
  /**
   * `child`: started by the program, but no pool worker that we know. The trackers and the fork server are Python's own helpers:
   * they hold what the others share, and end last.
   */
  readonly role: 'program' | 'pool-worker' | 'resource-tracker' | 'fork-server' | 'semaphore-tracker' | 'child'
  /** For a row in a list: `train.py`, `ForkPoolWorker-1`, `resource tracker`. */
  readonly name: string
}

/** Python's own helpers and workers, as they stand behind `python -c` (CPython Lib/multiprocessing/{spawn,forkserver,resource_tracker}.py). */
const pythonCommands: readonly (readonly [pattern: RegExp, role: RecognisedProcess['role'], name: string])[] = [
  [/\bmultiprocessing\.spawn import spawn_main\b/, 'pool-worker', 'spawned worker'],
  [/\bmultiprocessing\.forkserver import main\b/, 'fork-server', 'fork server'],
  [/\bmultiprocessing\.resource_tracker import main\b/, 'resource-tracker', 'resource tracker'],
  // Python 3.7 and before; loky and billiard have kept the name.
  [/\bmultiprocessing\.semaphore_tracker import main\b|\bbilliard\.semaphore_tracker import main\b/, 'semaphore-tracker', 'semaphore tracker'],
  [/\bloky\.backend\.resource_tracker import main\b/, 'resource-tracker', 'resource tracker'],
  [/\bloky\.backend\.semaphore_tracker import main\b/, 'semaphore-tracker', 'semaphore tracker'],
  [/\bbilliard\.spawn import\b/, 'pool-worker', 'spawned worker'],
  [/\bbilliard\.forkserver import main\b/, 'fork-server', 'fork server'],
]

/** Modules that are run with `-m` as workers of a pool. */
const pythonModules: readonly (readonly [module: RegExp, name: string])[] = [
  [/(^|\.)loky\.backend\.popen_loky_(posix|win32)$/, 'LokyProcess'],
]

/** Files that Node pools run in their children. */
const nodeWorkers: readonly (readonly [file: RegExp, name: string])[] = [
  [/jest-worker\/build\/(workers\/)?processChild\.js$/, 'jest worker'],
  [/tinypool\/dist\/(esm\/|entry\/)?process\.js$/, 'tinypool worker'],
  [/vitest\/dist\/workers\/(forks|vmForks)\.js$/, 'vitest worker'],
  [/workerpool\/(src|dist)\/worker(\.min)?\.js$/, 'workerpool worker'],
]

/** Tells what a process is by its own command line and its parent's; it looks at nothing else, so it can be mistaken. */
export function recogniseProcess({ commandLine, command, parentCommandLine }: ProcessFacts): RecognisedProcess {
  const args = commandLine ?? []
  const title = titleOf(args)
  if (title !== undefined) return title
  const kind = kindOf(args[0] ?? command)
  const worker = kind === 'python' ? pythonRole(args) : kind === 'node' ? nodeRole(args) : undefined
  if (worker !== undefined) return { kind, ...worker }
  const name = programName(args, kind) ?? command
  if (parentCommandLine === null) return { kind, role: 'program', name }
  // fork() keeps the command line: a Python program below itself is one of its own workers, Pool or Process.
  if (kind === 'python' && sameArguments(args, parentCommandLine)) return { kind, role: 'pool-worker', name: 'forked worker' }
  // What a fork server forks has the fork server's command line; that was recognised above for the server itself.
  return { kind, role: 'child', name }
}

/** Programs that rename themselves leave a single text with blanks in it. */
function titleOf(args: readonly string[]): RecognisedProcess | undefined {
  const text = args.join(' ')
  const poolWorker = /\b((?:Fork|Spawn|ForkServer)?PoolWorker-\d+(?::\d+)?)\b/.exec(text)
  if (poolWorker?.[1] !== undefined) return { kind: 'python', role: 'pool-worker', name: poolWorker[1] }
  const gunicorn = /^gunicorn: (master|worker)\b/.exec(text)
  if (gunicorn !== null) return { kind: 'python', role: gunicorn[1] === 'worker' ? 'pool-worker' : 'program', name: `gunicorn ${gunicorn[1] ?? ''}` }
  return undefined
}

function kindOf(program: string): RecognisedProcess['kind'] {
  const name = program.slice(program.lastIndexOf('/') + 1)
  if (/^(python|pypy)[\d.]*(t|d|-dbg)?$/.test(name)) return 'python'
  return /^(node|nodejs)(\d+)?$/.test(name) ? 'node' : 'other'
}

function pythonRole(args: readonly string[]): Pick<RecognisedProcess, 'role' | 'name'> | undefined {
  const code = optionValue(args, '-c')
  if (code !== undefined) {
    const known = pythonCommands.find(([pattern]) => pattern.test(code))
    if (known !== undefined) return { role: known[1], name: known[2] }
  }
  const module = optionValue(args, '-m')
  const worker = module === undefined ? undefined : pythonModules.find(([pattern]) => pattern.test(module))
  if (worker !== undefined) {
    const name = optionValue(args, '--process-name')
    return { role: 'pool-worker', name: name ?? worker[1] }
  }
  return args.includes('--multiprocessing-fork') ? { role: 'pool-worker', name: 'spawned worker' } : undefined
}

function nodeRole(args: readonly string[]): Pick<RecognisedProcess, 'role' | 'name'> | undefined {
  const script = args.slice(1).find((argument) => !argument.startsWith('-'))?.replaceAll('\\', '/')
  const worker = script === undefined ? undefined : nodeWorkers.find(([file]) => file.test(script))
  return worker && { role: 'pool-worker', name: worker[1] }
}

function optionValue(args: readonly string[], option: string): string | undefined {
  const index = args.indexOf(option)
  return index < 0 ? undefined : args[index + 1]
}

/** `train.py`, `-m package`, `server.js`; undefined for an interpreter that has no script. */
function programName(args: readonly string[], kind: RecognisedProcess['kind']): string | undefined {
  if (kind === 'other') return args[0]?.slice(args[0].lastIndexOf('/') + 1)
  const module = kind === 'python' ? optionValue(args, '-m') : undefined
  if (module !== undefined) return `-m ${module}`
  const script = args.slice(1).find((argument) => !argument.startsWith('-'))
  return script?.slice(script.lastIndexOf('/') + 1)
}

function sameArguments(one: readonly string[], other: readonly string[]): boolean {
  return one.length > 0 && one.length === other.length && one.every((argument, index) => argument === other[index])
}
