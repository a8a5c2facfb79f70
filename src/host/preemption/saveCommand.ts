import { spawn, type ChildProcess } from 'node:child_process'
import { markerVariable } from '../../processes'
import type { TerminationDefinition } from '../../protocol/schemas'
import { describeExit, shutDown, type SaveContext, type ShutdownDependencies } from '../../shutdown'

export type SaveCommandLine = NonNullable<TerminationDefinition['save']>

/** Folder, environment and output of a save. */
export interface SaveSetting {
  readonly pool: { readonly id: string; readonly name: string }
  readonly cwd: string
  /** Complete. */
  readonly env: NodeJS.ProcessEnv
  /** Process table and kill ledger. */
  readonly system: ShutdownDependencies
  output(stream: 'stdout' | 'stderr', chunk: Buffer): void
}

/** The save did not do its work. */
export class SaveCommandError extends Error {
  override readonly name = 'SaveCommandError'
  constructor(
    readonly command: string,
    readonly exitCode: number | null,
    readonly signal: NodeJS.Signals | null,
    readonly stderrTail: string,
  ) {
    super(
      `"save" (${command}) ended with ${describeExit({ exitCode, signal })}${stderrTail === '' ? '' : `: ${stderrTail}`}`,
    )
  }
}

/** Size of the last output that is kept to explain a failure. */
const tailCharacters = 500
/** Between the two signals for a save that takes too long: it may still close its file. */
const gracePeriodMs = 200

/**
 * Runs the save of a pool task to its end: with the task's folder and environment, and `UNHANG_OCCASION` (`notice` or
 * `final`), `UNHANG_POOL` and `UNHANG_NOTICE` (source of the notice). A save that takes too long is ended, with all
 * that it has started, through the shutdown core.
 * @throws SaveCommandError when it does not exit with 0; the error of `spawn` when it cannot be started
 */
export async function runSave(
  command: SaveCommandLine,
  setting: SaveSetting,
  { occasion, notice, signal }: SaveContext,
): Promise<void> {
  const { pool, system } = setting
  const marker = `${pool.id}/save-${occasion}`
  const env = {
    ...setting.env,
    UNHANG_OCCASION: occasion,
    UNHANG_POOL: pool.name,
    UNHANG_NOTICE: notice.source,
    [markerVariable]: marker,
  }
  const child = start(command, setting.cwd, env)
  const exited = exitOf(child)
  // Known while the child cannot have been collected yet: its exit is an event of a later turn.
  const identity = child.pid === undefined ? undefined : await system.processes.identify(child.pid)
  const end = (): void => {
    if (identity === undefined) return
    void shutDown(
      {
        subject: { id: marker, name: `save of ${pool.name}`, kind: 'worker' },
        targets: [{ identity, name: 'save', marker, exited }],
        gracePeriodMs,
        useSigkill: true,
        askedBy: 'preemption',
        reason: 'the save took too long',
      },
      system,
    )
  }
  let tail = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    setting.output('stdout', chunk)
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-tailCharacters)
    setting.output('stderr', chunk)
  })
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  try {
    const { code, by } = await exited
    if (code !== 0)
      throw new SaveCommandError(typeof command === 'string' ? command : command.join(' '), code, by, tail.trim())
  } finally {
    signal.removeEventListener('abort', end)
    // Processes that it left running may hold these indefinitely.
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

/** The leader of a session of its own, so that all it starts is found. */
function start(command: SaveCommandLine, cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  const options = {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  }
  if (typeof command === 'string') return spawn(command, { ...options, shell: true })
  const [program = '', ...programArguments] = command
  return spawn(program, programArguments, options)
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; by: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // Its last words are often still in the pipe when it has left; a tenth of a second brings them.
    child.once('exit', (code, by) => {
      const give = (): void => {
        resolve({ code, by })
      }
      const timer = setTimeout(give, lastWordsMs)
      child.once('close', () => {
        clearTimeout(timer)
        give()
      })
    })
  })
}

const lastWordsMs = 100
