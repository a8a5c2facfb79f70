import { basename, join } from 'node:path'
import { Pool, PoolOptionError, type PoolOptions } from '../../core'
import { commandName } from '../../processes'
import type { LaunchedPool, ParamsOf } from '../../protocol'
import type { PoolDefinition } from '../../protocol/schemas'
import type { ShutdownDependencies } from '../../shutdown'
import type { ProgramLaunch, Programs } from '../programs/programs'
import type { Log } from '../terms/log'
import { adoptPool, type AdoptContext } from './adoptPool'
import type { PoolTermination } from '../preemption/preemptions'
import { checkDefinition, environmentOf, type CheckedDefinition } from './checkDefinition'
import { LaunchError } from '../terms/launchError'
import { findTask } from './findTask'
import { splitModule } from './program'

/** The parts of the host that a launch needs. */
export interface LaunchContext extends AdoptContext {
  readonly root: string
  /** Where each pool gets a folder for its output. */
  readonly outputDirectory: string
  /** Process table and kill ledger of the pools. */
  readonly system: ShutdownDependencies
  readonly programs: Programs
  /** Called right before a pool is made: checking takes time. Throws when this host takes no more pools. */
  mustBeOpen(): void
}

/**
 * Makes a pool of a task's label or of a definition. Everything is checked before anything is started.
 * @throws {@link LaunchError} with the key of each thing that is wrong.
 */
export async function launchPool(params: ParamsOf<'unhang/launchPool'>, context: LaunchContext): Promise<LaunchedPool> {
  const { label } = params
  if (label === undefined && params.definition === undefined) {
    throw new LaunchError('A pool without a label and a definition', [
      { path: ['label'], code: 'missing', message: 'Name a pool task by its label, or give a definition.' },
    ])
  }
  const given = params.definition ?? (await findTask(context.root, label ?? '')).definition
  const subject = label === undefined ? 'The pool' : `"${label}"`
  const env = params.env ?? process.env
  const result = await checkDefinition(given, context.root, env, { pythonPath: params.defaults?.pythonPath })
  if (!result.ok) throw new LaunchError(subject, result.problems)
  const { checked } = result
  context.mustBeOpen()
  if (checked.definition.program !== undefined)
    return context.programs.launch(programLaunchOf(checked, checked.definition.program, label, params, env))
  const options = poolOptionsOf(checked, label, params, env, context)
  let pool: Pool
  try {
    pool = new Pool(options, context.system)
  } catch (error) {
    if (!(error instanceof PoolOptionError)) throw error
    throw new LaunchError(subject, [{ path: [error.option], code: 'out-of-range', message: error.message }])
  }
  // In the same turn as its start: its workers start in the next, and no event of theirs may be missed.
  adoptPool(pool, label ?? null, terminationOf(checked, env), context)
  runToTheEnd(pool, checked, context.log)
  const { total } = checked.items
  return {
    poolId: pool.id,
    name: pool.name,
    total,
    warnings: total === 0 ? ['There are no items, so there is nothing to do.'] : [],
  }
}

function terminationOf({ definition, cwd }: CheckedDefinition, env: NodeJS.ProcessEnv): PoolTermination | undefined {
  const { termination } = definition
  return termination && { definition: termination, cwd, env: environmentOf(env, definition) }
}

/** Submits all items, then closes the pool, which ends with its last task. */
function runToTheEnd(pool: Pool, { items, definition }: CheckedDefinition, log: Log): void {
  const { done } = pool.runItems(items.iterate(), { total: items.total, ...given({ chunkSize: definition.chunkSize }) })
  // A file of items that vanishes half way ends the items.
  done
    .catch((error: unknown) => {
      log.error('The items of a pool ended early.', error)
    })
    .finally(() => {
      pool.close()
    })
}

function programLaunchOf(
  { definition, cwd }: CheckedDefinition,
  command: string | readonly string[],
  label: string | undefined,
  { defaults }: ParamsOf<'unhang/launchPool'>,
  env: NodeJS.ProcessEnv,
): ProgramLaunch {
  return {
    command,
    cwd,
    env: environmentOf(env, definition),
    name: label,
    label: label ?? null,
    watch: given({
      stuckAfterMs: definition.stuckAfterMs ?? defaults?.stuckAfterMs,
      gracePeriodMs: definition.gracePeriodMs ?? defaults?.gracePeriodMs,
      useSigkill: definition.useSigkill ?? defaults?.useSigkill,
      onStuck: definition.onStuck,
      recordArguments: definition.recordArguments ?? defaults?.recordArguments,
      stackSignal: defaults?.stackSignal,
    }),
  }
}

function poolOptionsOf(
  checked: CheckedDefinition,
  label: string | undefined,
  { defaults }: ParamsOf<'unhang/launchPool'>,
  env: NodeJS.ProcessEnv,
  { outputDirectory }: LaunchContext,
): PoolOptions {
  const { definition, cwd } = checked
  const program = programOptions(checked, defaults?.nodePath)
  return {
    ...program,
    ...given({
      name: label ?? nameOf(definition),
      processes: definition.processes,
      maxTasksPerChild: definition.maxTasksPerChild,
      maxMemoryPerChildBytes:
        definition.maxMemoryPerChildMb === undefined ? undefined : definition.maxMemoryPerChildMb * 2 ** 20,
      stuckAfterMs: definition.stuckAfterMs ?? defaults?.stuckAfterMs,
      timeoutMs: definition.timeoutMs,
      retries: definition.retries,
      onStuck: definition.onStuck,
      onFailure: definition.onFailure,
      gracePeriodMs: definition.gracePeriodMs ?? defaults?.gracePeriodMs,
      useSigkill: definition.useSigkill ?? defaults?.useSigkill,
    }),
    cwd,
    env: { ...environmentChanges(env), ...ofElectron('module' in program), ...definition.env },
    outputDirectory: join(outputDirectory, outputFolderName()),
  }
}

function programOptions({ definition, interpreter }: CheckedDefinition, nodePath: string | undefined): PoolOptions {
  if (definition.module !== undefined) return { module: definition.module, ...given({ nodePath }) }
  if (definition.python !== undefined) return { python: definition.python, ...given({ pythonPath: interpreter }) }
  return { command: definition.command ?? '' }
}

function nameOf(definition: PoolDefinition): string {
  if (definition.module !== undefined) return basename(splitModule(definition.module).file)
  if (definition.python !== undefined) return definition.python.replace(/:.*/, '')
  return commandName(definition.command ?? '')
}

let launches = 0
/** Unique in this host, whose folder is its own. */
function outputFolderName(): string {
  launches += 1
  return `${Date.now().toString(36)}-${launches}`
}

/** From the host's own environment to that of the client: what to set and what to remove. */
function environmentChanges(wanted: NodeJS.ProcessEnv): Record<string, string | null> {
  const changes: Record<string, string | null> = {}
  for (const name of Object.keys(process.env)) if (wanted[name] === undefined) changes[name] = null
  for (const [name, value] of Object.entries(wanted))
    if (value !== undefined && process.env[name] !== value) changes[name] = value
  return changes
}

/**
 * Workers of an Electron that runs as Node need the variable as well; in other programs it would change the behaviour
 * of the user's own Electron.
 */
function ofElectron(runsNode: boolean): Record<string, string | null> {
  return runsNode && process.versions.electron !== undefined ? { ELECTRON_RUN_AS_NODE: '1' } : {}
}

/** Without the keys that are undefined: an option that is absent differs from one that is undefined. */
function given<T extends Record<string, unknown>>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
