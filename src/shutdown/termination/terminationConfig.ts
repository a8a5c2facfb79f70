import { longestDelayMs } from './bounded'
import { detectPlatform, type DetectionOptions } from './detectPlatform'
import { isPlatform, platforms, terminationPresets, type Platform } from './platform'
import { metadataWatcher, pollingWatcher, type TerminationWatcher } from './watchers'

/** That the process is going to be taken away: who said so, and when it came (epoch milliseconds). */
export interface TerminationNotice {
  readonly source: string
  readonly at: number
}

/** What a save is told. */
export interface SaveContext {
  /** `notice`: at once, the work goes on; `final`: nothing runs any more, the process leaves after this. */
  readonly occasion: 'notice' | 'final'
  readonly notice: TerminationNotice
  /** Aborted when the save has taken too long: nobody waits for it any more. */
  readonly signal: AbortSignal
  /** How long it may take, milliseconds. */
  readonly limitMs: number
}

/** What TensorFlow's TerminationConfig says, and the platform whose defaults fill in the rest. */
export interface TerminationFields {
  /** Default: detected. */
  readonly platform?: Platform | undefined
  /**
   * How the notice comes: a watcher, or a function that is asked every second (and must not take long). Default: the
   * platform's.
   */
  readonly terminationWatcher?:
    TerminationWatcher | ((signal: AbortSignal) => boolean | Promise<boolean>) | 'sigterm' | 'metadata' | undefined
  /** The exit code, or what leaves instead of `process.exit`. Default: the platform's code. */
  readonly exit?: number | ((notice: TerminationNotice) => void | Promise<void>) | undefined
  /**
   * The exit code where `exit` is a function: what the process leaves with when that fails. Default: the platform's.
   */
  readonly exitCode?: number | undefined
  /** From the notice to the end, milliseconds. 0: wrap up, save and leave at once. Default: the platform's. */
  readonly gracePeriodMs?: number | undefined
  /** Saves what must not be lost. Default: nothing to save. */
  readonly save?: ((context: SaveContext) => void | Promise<void>) | undefined
}

/** A configuration with every default filled in. */
export interface CompleteTermination {
  readonly platform: Platform
  /** Undefined: SIGTERM is the notice, as TensorFlow's None. */
  readonly terminationWatcher: TerminationWatcher | undefined
  /** The code that tells the platform to start the process again. */
  readonly exitCode: number
  /** Leaves instead of `process.exit(exitCode)`. */
  readonly exit: ((notice: TerminationNotice) => void | Promise<void>) | undefined
  readonly gracePeriodMs: number
  readonly save: ((context: SaveContext) => void | Promise<void>) | undefined
}

/** A field that cannot be used. */
export class TerminationConfigError extends Error {
  override readonly name = 'TerminationConfigError'
  constructor(
    readonly field: string,
    readonly why: string,
  ) {
    super(`TerminationConfig: "${field}" ${why}.`)
  }
}

/**
 * How this process learns that it is going to be taken away, how long it has then, what it saves, and how it leaves:
 * TensorFlow's `tf.distribute.experimental.TerminationConfig`. What is left out comes from the platform (see
 * `terminationPresets`).
 * @throws TerminationConfigError naming the field
 */
export class TerminationConfig implements TerminationFields {
  readonly platform: Platform | undefined
  readonly terminationWatcher: TerminationFields['terminationWatcher']
  readonly exit: TerminationFields['exit']
  readonly exitCode: number | undefined
  readonly gracePeriodMs: number | undefined
  readonly save: TerminationFields['save']

  constructor(fields: TerminationFields = {}) {
    check(fields)
    this.platform = fields.platform
    this.terminationWatcher = fields.terminationWatcher
    this.exit = fields.exit
    this.exitCode = fields.exitCode
    this.gracePeriodMs = fields.gracePeriodMs
    this.save = fields.save
  }

  /** These fields over the preset of a platform. An explicit 0 is a value, not "left out". */
  for(platform: Platform, env: NodeJS.ProcessEnv = process.env): CompleteTermination {
    const preset = terminationPresets[platform]
    return {
      platform,
      terminationWatcher: watcherOf(this.terminationWatcher ?? preset.watch, env),
      exitCode: typeof this.exit === 'number' ? this.exit : (this.exitCode ?? preset.exitCode),
      exit: typeof this.exit === 'function' ? this.exit : undefined,
      gracePeriodMs: this.gracePeriodMs ?? preset.gracePeriodMs,
      save: this.save,
    }
  }

  /**
   * These fields over the preset of the platform that is named, else of the one this process runs on. Never rejects.
   */
  async complete(options: DetectionOptions = {}): Promise<CompleteTermination> {
    return this.for(this.platform ?? (await detectPlatform(options)), options.env)
  }
}

function watcherOf(
  watcher: NonNullable<TerminationFields['terminationWatcher']>,
  env: NodeJS.ProcessEnv,
): TerminationWatcher | undefined {
  if (watcher === 'sigterm') return undefined
  if (watcher === 'metadata') return metadataWatcher({ env })
  return typeof watcher === 'function' ? pollingWatcher(watcher, { source: 'terminationWatcher' }) : watcher
}

function check({ platform, terminationWatcher, exit, exitCode, gracePeriodMs, save }: TerminationFields): void {
  if (platform !== undefined && !isPlatform(platform))
    throw new TerminationConfigError('platform', `must be one of ${platforms.join(', ')}`)
  if (terminationWatcher !== undefined && !isWatcher(terminationWatcher)) {
    throw new TerminationConfigError(
      'terminationWatcher',
      'must be a function, an object with watch(), "sigterm" or "metadata"',
    )
  }
  if (exit !== undefined && typeof exit !== 'function' && !isExitCode(exit))
    throw new TerminationConfigError('exit', 'must be a function, or an exit code from 0 to 255')
  if (exitCode !== undefined && !isExitCode(exitCode))
    throw new TerminationConfigError('exitCode', 'must be an exit code from 0 to 255')
  if (
    gracePeriodMs !== undefined &&
    !(typeof gracePeriodMs === 'number' && gracePeriodMs >= 0 && gracePeriodMs <= longestDelayMs)
  ) {
    throw new TerminationConfigError('gracePeriodMs', `must be 0 to ${longestDelayMs} milliseconds`)
  }
  if (save !== undefined && typeof save !== 'function') throw new TerminationConfigError('save', 'must be a function')
}

function isExitCode(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255
}

function isWatcher(watcher: unknown): boolean {
  if (watcher === 'sigterm' || watcher === 'metadata' || typeof watcher === 'function') return true
  return typeof watcher === 'object' && watcher !== null && 'watch' in watcher && typeof watcher.watch === 'function'
}
