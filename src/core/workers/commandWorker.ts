import type { ProcessTable } from '../../processes'
import { spawnCommand } from '../../runtimes'
import type { RenderedCommand } from '../../runtimes'
import type { OutputFolder } from '../output/outputFolder'
import type { Task } from '../tasks/task'
import type { CommandResult } from '../terms/types'
import { Worker } from './worker'
import type { WorkerHooks } from './worker'

export interface CommandWorkerHooks extends WorkerHooks {
  startFailed(worker: CommandWorker, error: NodeJS.ErrnoException): void
}

/** One process that runs one task and ends with it. */
export class CommandWorker extends Worker {
  readonly #hooks: CommandWorkerHooks

  constructor(name: string, marker: string, hooks: CommandWorkerHooks, folder: OutputFolder, table: ProcessTable) {
    super(name, marker, hooks, folder, table)
    this.#hooks = hooks
  }

  /** A command has no channel: SIGTERM is the first it hears. */
  get ask(): undefined {
    return undefined
  }

  /** Starts the process. When that fails, `startFailed` follows, at once or in the next turn. */
  start(task: Task, command: RenderedCommand, options: { cwd: string; env: NodeJS.ProcessEnv }): void {
    this.beginTask(task)
    let child
    try {
      child = spawnCommand(command, options)
    } catch (error) {
      // Node throws for what it can tell without trying: too many arguments, no file descriptors left.
      this.#hooks.startFailed(this, error as NodeJS.ErrnoException)
      return
    }
    const { stdout, stderr } = child
    if (child.pid === undefined || stdout === null || stderr === null) {
      child.once('error', (error) => {
        this.#hooks.startFailed(this, error)
      })
      return
    }
    // What is reported after a start is reported by 'exit' as well; without a listener Node would throw it.
    child.on('error', () => undefined)
    this.status = 'busy'
    this.adopt(child, [
      [stdout, 'stdout'],
      [stderr, 'stderr'],
    ])
  }

  /** What the task amounts to; only once it is gone. */
  result(): CommandResult {
    const { capture } = this
    return {
      exitCode: this.exitCode,
      signal: this.signal,
      stdout: capture?.tail('stdout') ?? '',
      stderr: capture?.tail('stderr') ?? '',
      stdoutPath: capture?.stdout.path ?? null,
      stderrPath: capture?.stderr.path ?? null,
    }
  }
}
