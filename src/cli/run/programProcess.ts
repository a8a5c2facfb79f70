import { spawn, type ChildProcess } from 'node:child_process'
import { startError } from './startError'
import type { ProgramEnd } from './watching'

/** What to run. */
export interface ProgramStart {
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Descriptors beside stdin, stdout and stderr that it is to have, under the same numbers. */
  readonly inherited: readonly number[]
}

/** Sent to us alone (`kill`, a service manager): the program is to have them. */
const forwarded = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
/** Typed at a terminal, which sends them to the whole group: the program has them already, and decides. */
const leftToTheTerminal = ['SIGINT', 'SIGQUIT'] as const

/**
 * The user's program as our own child: the terminal, its job control and every pipe are the program's as if we were not
 * there. We only wait, pass signals on, and end as it ends.
 */
export class ProgramProcess {
  readonly #passOn = (signal: NodeJS.Signals): void => {
    this.#child?.kill(signal)
  }
  readonly #leave = (): void => {
    /* the program's to handle */
  }
  #child: ChildProcess | undefined

  /** From now on signals are the program's, also those that come before it has started to handle them. */
  #takeSignals(): void {
    for (const signal of forwarded) process.on(signal, this.#passOn)
    for (const signal of leftToTheTerminal) process.on(signal, this.#leave)
  }

  /** Back to what signals do by default. */
  #giveSignalsBack(): void {
    for (const signal of forwarded) process.off(signal, this.#passOn)
    for (const signal of leftToTheTerminal) process.off(signal, this.#leave)
  }

  /**
   * Runs it to its end.
   * @param onStart Told the pid as soon as there is one.
   * @throws StartError
   */
  async run(start: ProgramStart, onStart: (pid: number) => void): Promise<ProgramEnd> {
    const [program = ''] = start.argv
    this.#takeSignals()
    try {
      return await new Promise<ProgramEnd>((resolve, reject) => {
        const child = spawnOrThrow(start)
        this.#child = child
        child.once('error', (error: NodeJS.ErrnoException) => {
          reject(startError(program, error))
        })
        child.once('exit', (exitCode, signal) => {
          resolve({ exitCode, signal })
        })
        if (child.pid !== undefined) onStart(child.pid)
      })
    } finally {
      this.#giveSignalsBack()
    }
  }
}

function spawnOrThrow({ argv: [program = '', ...args], env, inherited }: ProgramStart): ChildProcess {
  // Gaps stay closed: libuv opens /dev/null for the first three only.
  const stdio: ('inherit' | 'ignore' | number)[] = ['inherit', 'inherit', 'inherit']
  for (const descriptor of inherited) stdio[descriptor] = descriptor
  try {
    return spawn(program, args, {
      stdio: Array.from(stdio, (entry: (typeof stdio)[number] | undefined) => entry ?? 'ignore'),
      env,
    })
  } catch (error) {
    // Some faults (E2BIG, EACCES on some systems) are thrown, others come as an event.
    throw startError(program, error as NodeJS.ErrnoException)
  }
}

/**
 * Signals that leave a core file: ended by them, we would leave a second one, of ourselves. And one that Node ignores.
 */
const notOurs = new Set<NodeJS.Signals>([
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGSYS',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGPIPE',
])

/**
 * Whether to end by the program's own signal, so that a shell prints what it always prints and stops a loop on Ctrl-C.
 */
export function diesBy(signal: NodeJS.Signals): boolean {
  return !notOurs.has(signal)
}
