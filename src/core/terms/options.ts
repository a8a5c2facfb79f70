import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { commandName } from '../../processes'
import { CommandTemplate } from '../../runtimes'
import type { FunctionReference } from '../../runtimes'
import { PoolOptionError } from './errors'
import type {
  CommandPoolOptions,
  FunctionName,
  ModulePoolOptions,
  OnFailure,
  OnStuck,
  PoolOptions,
  PythonPoolOptions,
} from './types'

interface CommonSettings {
  readonly name: string
  readonly processes: number
  readonly stuckAfterMs: number
  readonly timeoutMs: number | undefined
  readonly softTimeoutMs: number | undefined
  readonly maxQueued: number
  readonly retries: number
  readonly maxTasksPerChild: number
  readonly gracePeriodMs: number
  readonly useSigkill: boolean
  readonly onStuck: OnStuck
  readonly onFailure: OnFailure
  readonly cwd: string
  /** Complete, without UNHANG_WORKER. */
  readonly env: NodeJS.ProcessEnv
  readonly outputDirectory: string | undefined
}
interface PersistentCommonSettings extends CommonSettings {
  /** Absolute path of the file, or Python's dotted name. */
  readonly module: string
  /** The function that items run. */
  readonly exportName: string
  readonly workerPath: string | undefined
  readonly initializer: FunctionReference | null
  readonly initargs: readonly unknown[]
  readonly maxMemoryPerChildBytes: number | undefined
  readonly idleTimeoutMs: number | undefined
  readonly minProcesses: number
}
export interface ModuleSettings extends PersistentCommonSettings {
  readonly kind: 'module'
  readonly nodePath: string
}
export interface PythonSettings extends PersistentCommonSettings {
  readonly kind: 'python'
  readonly pythonPath: string | undefined
}
export type PersistentSettings = ModuleSettings | PythonSettings
export interface CommandSettings extends CommonSettings {
  readonly kind: 'command'
  readonly template: CommandTemplate
}
/** Options with every default filled in and every value checked. */
export type PoolSettings = PersistentSettings | CommandSettings

const onStuckValues: readonly OnStuck[] = ['flag', 'terminate', 'kill', 'retry']
const onFailureValues: readonly OnFailure[] = ['continue', 'stop']
/** setTimeout's limit: a longer delay fires at once. */
const maxDelayMs = 2 ** 31 - 1
/** The table of processes is finite, and a mistyped zero should be told, not tried. */
const maxProcesses = 4096

/** @throws PoolOptionError naming the option */
export function checkOptions(options: PoolOptions): PoolSettings {
  const given = options as Partial<ModulePoolOptions & PythonPoolOptions & CommandPoolOptions>
  const runs = (['module', 'python', 'command'] as const).filter((key) => given[key] !== undefined)
  if (runs.length !== 1)
    throw new PoolOptionError(runs.at(-1) ?? 'module', 'give exactly one of "module", "python" and "command"')
  const cwd = resolve(optionalString(given.cwd, 'cwd') ?? '.')
  if (!isFolder(cwd)) throw new PoolOptionError('cwd', `no such folder: ${cwd}`)
  const common = {
    processes: whole(given.processes, 'processes', 1, maxProcesses) ?? availableParallelism(),
    stuckAfterMs: whole(given.stuckAfterMs, 'stuckAfterMs', 1, maxDelayMs) ?? 30_000,
    timeoutMs: whole(given.timeoutMs, 'timeoutMs', 1, maxDelayMs),
    softTimeoutMs: whole(given.softTimeoutMs, 'softTimeoutMs', 1, maxDelayMs),
    maxQueued: whole(given.maxQueued, 'maxQueued', 1, Number.MAX_SAFE_INTEGER) ?? Infinity,
    retries: whole(given.retries, 'retries', 0, 1_000_000) ?? 0,
    maxTasksPerChild: whole(given.maxTasksPerChild, 'maxTasksPerChild', 1, Number.MAX_SAFE_INTEGER) ?? Infinity,
    gracePeriodMs: whole(given.gracePeriodMs, 'gracePeriodMs', 0, maxDelayMs) ?? 100,
    useSigkill: flag(given.useSigkill, 'useSigkill') ?? false,
    onStuck: oneOf(given.onStuck, 'onStuck', onStuckValues) ?? 'flag',
    onFailure: oneOf(given.onFailure, 'onFailure', onFailureValues) ?? 'continue',
    cwd,
    env: environment(given.env),
    outputDirectory:
      given.outputDirectory === undefined
        ? undefined
        : resolve(cwd, optionalString(given.outputDirectory, 'outputDirectory') ?? ''),
  }
  const name = optionalString(given.name, 'name')
  if (
    common.softTimeoutMs !== undefined &&
    common.timeoutMs !== undefined &&
    common.softTimeoutMs >= common.timeoutMs
  ) {
    throw new PoolOptionError('softTimeoutMs', `must be less than timeoutMs (${common.timeoutMs}), which ends the task`)
  }
  if (given.module !== undefined) {
    const { module, exportName } = findModule(given.module, cwd)
    return {
      ...common,
      ...persistent(given, (path) => findModule(path, cwd).module),
      kind: 'module',
      name: name ?? basename(module),
      module,
      exportName,
      nodePath: optionalString(given.nodePath, 'nodePath') ?? process.execPath,
    }
  }
  if (given.python !== undefined) {
    const { module, exportName } = checkPython(given.python)
    return {
      ...common,
      ...persistent(given, (dotted) => checkPython(dotted).module),
      kind: 'python',
      name: name ?? module,
      module,
      exportName,
      pythonPath: optionalString(given.pythonPath, 'pythonPath'),
    }
  }
  const command = checkCommand(given.command)
  return { ...common, kind: 'command', name: name ?? commandName(command), template: template(command) }
}

/** Absolute path of a module file, by Node's own rules for files (extensions, folders). @throws PoolOptionError */
export function findModule(module: unknown, cwd: string): { module: string; exportName: string } {
  if (typeof module !== 'string' || module === '')
    throw new PoolOptionError('module', 'must be the path of a CommonJS or ES module')
  const hash = module.lastIndexOf('#')
  const [path, exportName] =
    hash <= 0 || existsSync(resolve(cwd, module))
      ? [module, 'default']
      : [module.slice(0, hash), module.slice(hash + 1) || 'default']
  const absolute = resolve(cwd, path)
  try {
    return { module: createRequire(join(cwd, 'noop.js')).resolve(absolute), exportName }
  } catch {
    throw new PoolOptionError('module', `no such module: ${absolute}`)
  }
}

/** `package.module:function`. @throws PoolOptionError */
export function checkPython(python: unknown): { module: string; exportName: string } {
  const match =
    typeof python === 'string'
      ? /^([\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*)(?::([\p{L}_][\p{L}\p{N}_]*))?$/u.exec(python)
      : null
  if (match?.[1] === undefined) {
    throw new PoolOptionError(
      'python',
      `must be "package.module:function", as it would be imported, not ${JSON.stringify(python)}`,
    )
  }
  return { module: match[1], exportName: match[2] ?? 'default' }
}

/** @throws PoolOptionError */
export function checkProcesses(processes: unknown): void {
  if (whole(processes, 'processes', 1, maxProcesses) === undefined)
    throw new PoolOptionError('processes', 'must be given')
}

type PersistentGiven = Partial<ModulePoolOptions & PythonPoolOptions>

function persistent(
  given: PersistentGiven,
  find: (module: string) => string,
): Omit<PersistentCommonSettings, keyof CommonSettings | 'module' | 'exportName'> {
  const idleTimeoutMs = whole(given.idleTimeoutMs, 'idleTimeoutMs', 1, maxDelayMs)
  return {
    workerPath: existingFile(given.workerPath, 'workerPath'),
    initializer: given.initializer === undefined ? null : functionReference(given.initializer, 'initializer', find),
    initargs: list(given.initargs, 'initargs') ?? [],
    maxMemoryPerChildBytes: whole(given.maxMemoryPerChildBytes, 'maxMemoryPerChildBytes', 1, Number.MAX_SAFE_INTEGER),
    idleTimeoutMs,
    minProcesses: whole(given.minProcesses, 'minProcesses', 0, maxProcesses) ?? 0,
  }
}

function functionReference(given: FunctionName, option: string, find: (module: string) => string): FunctionReference {
  if (typeof given === 'string' && given !== '') return { module: null, name: given }
  const { module, name }: { module?: unknown; name?: unknown } = typeof given === 'object' ? given : {}
  if (typeof module !== 'string' || typeof name !== 'string')
    throw new PoolOptionError(option, 'must be the name of a function, or { module, name }')
  return { module: find(module), name }
}

function list(value: unknown, option: string): readonly unknown[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value)) return [...(value as unknown[])]
  throw new PoolOptionError(option, `must be an array, not ${JSON.stringify(value)}`)
}

function checkCommand(command: unknown): string | readonly string[] {
  if (typeof command === 'string' && command.trim() !== '') return command
  if (
    Array.isArray(command) &&
    command.length > 0 &&
    command.every((part) => typeof part === 'string') &&
    command[0] !== ''
  )
    return [...command]
  throw new PoolOptionError(
    'command',
    'must be a string (run in a shell) or an array of strings (program and arguments)',
  )
}

function template(command: string | readonly string[]): CommandTemplate {
  try {
    return new CommandTemplate(command)
  } catch (error) {
    throw new PoolOptionError('command', error instanceof Error ? error.message : String(error))
  }
}

function environment(changes: unknown): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env }
  if (changes === undefined) return env
  if (changes === null || typeof changes !== 'object')
    throw new PoolOptionError('env', 'must be an object of strings (null removes a variable)')
  for (const [name, value] of Object.entries(changes as Record<string, unknown>)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- an environment is a dictionary
    if (value === null) delete env[name]
    else if (typeof value === 'string') env[name] = value
    else throw new PoolOptionError('env', `${name} must be a string, or null to remove it`)
  }
  return env
}

function whole(value: unknown, option: string, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new PoolOptionError(option, `must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`)
  }
  return value
}

function flag(value: unknown, option: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw new PoolOptionError(option, `must be true or false, not ${JSON.stringify(value)}`)
}

function oneOf<T extends string>(value: unknown, option: string, values: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  const found = values.find((candidate) => candidate === value)
  if (found === undefined)
    throw new PoolOptionError(option, `must be one of ${values.join(', ')}, not ${JSON.stringify(value)}`)
  return found
}

function optionalString(value: unknown, option: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw new PoolOptionError(option, 'must be a string that is not empty')
  return value
}

function existingFile(value: unknown, option: string): string | undefined {
  const path = optionalString(value, option)
  if (path !== undefined && !existsSync(path)) throw new PoolOptionError(option, `no such file: ${path}`)
  return path
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
