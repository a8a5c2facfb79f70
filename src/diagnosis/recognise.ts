import { baseName, interpreterKind, nodeCommand, pythonCommand } from '../processes'

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
   * `child`: started by the program, but no pool worker that we know. The trackers and the fork server are Python's own
   * helpers: they hold what the others share, and end last.
   */
  readonly role: 'program' | 'pool-worker' | 'resource-tracker' | 'fork-server' | 'semaphore-tracker' | 'child'
  /** For a row in a list: `train.py`, `ForkPoolWorker-1`, `resource tracker`. */
  readonly name: string
}

/**
 * Python's own helpers and workers, as they stand behind `python -c` (CPython
 * Lib/multiprocessing/{spawn,forkserver,resource_tracker}.py).
 */
const pythonCommands: readonly (readonly [pattern: RegExp, role: RecognisedProcess['role'], name: string])[] = [
  [/\bmultiprocessing\.spawn import spawn_main\b/, 'pool-worker', 'spawned worker'],
  [/\bmultiprocessing\.forkserver import main\b/, 'fork-server', 'fork server'],
  [/\bmultiprocessing\.resource_tracker import main\b/, 'resource-tracker', 'resource tracker'],
  // Python 3.7 and before; loky and billiard have kept the name.
  [
    /\bmultiprocessing\.semaphore_tracker import main\b|\bbilliard\.semaphore_tracker import main\b/,
    'semaphore-tracker',
    'semaphore tracker',
  ],
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

/**
 * Tells what a process is by its own command line and its parent's; it looks at nothing else, so it can be mistaken.
 */
export function recogniseProcess({ commandLine, command, parentCommandLine }: ProcessFacts): RecognisedProcess {
  // Some start a program without so much as its own name.
  const args = commandLine?.[0] === '' ? [] : (commandLine ?? [])
  const titled = recogniseTitle(args)
  if (titled !== undefined) return titled
  const kind = interpreterKind(args[0] ?? command) ?? 'other'
  const isForked = parentCommandLine !== null && sameArguments(args, parentCommandLine)
  const known = kind === 'python' ? recognisePython(args) : kind === 'node' ? recogniseNode(args) : undefined
  if (known !== undefined) {
    // fork() keeps the command line: what a fork server has forked looks like the server.
    return isForked && known.role === 'fork-server'
      ? { kind, role: 'pool-worker', name: 'forked worker' }
      : { kind, ...known }
  }
  // A Python program below itself is a worker of its own, of a Pool or a Process; a Node program that is, one of its
  // cluster.
  if (isForked && kind !== 'other')
    return { kind, role: 'pool-worker', name: kind === 'python' ? 'forked worker' : 'cluster worker' }
  return { kind, role: parentCommandLine === null ? 'program' : 'child', name: scriptName(args, kind) ?? command }
}

/** Programs that rename themselves (setproctitle, process.title) leave a title where their arguments were. */
function recogniseTitle(args: readonly string[]): RecognisedProcess | undefined {
  const [text = '', second] = args
  if (second !== undefined) return undefined
  // billiard under celery: `[celeryd: celery@host:ForkPoolWorker-1]`; and programs that show the name of their process.
  const worker = /(?:^|[\s:[])((?:Fork|Spawn|ForkServer)?PoolWorker-\d+(?::\d+)?)\b/.exec(text)?.[1]
  if (worker !== undefined) return { kind: 'python', role: 'pool-worker', name: worker }
  if (/^\[celeryd: .*:MainProcess\]/.test(text)) return { kind: 'python', role: 'program', name: 'celery' }
  const gunicorn = /^gunicorn: (master|worker)\b/.exec(text)?.[1]
  if (gunicorn !== undefined)
    return { kind: 'python', role: gunicorn === 'worker' ? 'pool-worker' : 'program', name: `gunicorn ${gunicorn}` }
  const vitest = /^node \(vitest(?: (\d+))?\)/.exec(text)
  if (vitest !== null)
    return {
      kind: 'node',
      role: vitest[1] === undefined ? 'program' : 'pool-worker',
      name: vitest[1] === undefined ? 'vitest' : `vitest ${vitest[1]}`,
    }
  return undefined
}

function recognisePython(args: readonly string[]): Pick<RecognisedProcess, 'role' | 'name'> | undefined {
  const target = pythonCommand(args)?.target
  const known = target?.kind === 'code' ? pythonCommands.find(([pattern]) => pattern.test(target.code)) : undefined
  if (known !== undefined) return { role: known[1], name: known[2] }
  const worker = target?.kind === 'module' ? pythonModules.find(([pattern]) => pattern.test(target.name)) : undefined
  if (worker !== undefined) return { role: 'pool-worker', name: valueAfter(args, '--process-name') ?? worker[1] }
  return args.includes('--multiprocessing-fork') ? { role: 'pool-worker', name: 'spawned worker' } : undefined
}

function recogniseNode(args: readonly string[]): Pick<RecognisedProcess, 'role' | 'name'> | undefined {
  const target = nodeCommand(args)?.target
  const script = target?.kind === 'script' ? target.path.replaceAll('\\', '/') : undefined
  const worker = script === undefined ? undefined : nodeWorkers.find(([file]) => file.test(script))
  return worker && { role: 'pool-worker', name: worker[1] }
}

/** `train.py`, `-m package`, `server.js`; undefined for an interpreter that runs no file. */
function scriptName(args: readonly string[], kind: RecognisedProcess['kind']): string | undefined {
  if (kind === 'other') return args[0] === undefined ? undefined : baseName(args[0])
  const target = (kind === 'python' ? pythonCommand(args) : nodeCommand(args))?.target
  if (target?.kind === 'module') return `-m ${target.name}`
  return target?.kind === 'script' ? baseName(target.path) : undefined
}

function valueAfter(args: readonly string[], option: string): string | undefined {
  const index = args.indexOf(option)
  return index < 0 ? undefined : args[index + 1]
}

function sameArguments(one: readonly string[], other: readonly string[]): boolean {
  return one.length > 0 && one.length === other.length && one.every((argument, index) => argument === other[index])
}
