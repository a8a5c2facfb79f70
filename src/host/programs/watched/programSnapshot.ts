import type { ProgramSnapshot } from '../../../protocol'

/** How the main process ended; `at` in epoch ms, `steadyAt` on the steady clock. */
export interface RootExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly at: number
  readonly steadyAt: number
}

/** What is known of a watched program as a whole. */
export interface ProgramState {
  readonly argv: readonly string[]
  readonly pid: number | undefined
  /** Of the first observer inside. */
  readonly python: string | undefined
  /** Of the first Node process inside. */
  readonly node: string | undefined
  /** Why no observer is inside. */
  readonly observerFailure: string | null
  readonly exit: RootExit | undefined
}

export function programSnapshot({ argv, pid, python, node, observerFailure, exit }: ProgramState): ProgramSnapshot {
  return {
    argv: [...argv],
    pid: pid ?? null,
    python: python ?? null,
    observer: observerFailure !== null ? 'failed' : python === undefined && node === undefined ? 'waiting' : 'inside',
    message:
      observerFailure ??
      (python === undefined && node !== undefined
        ? `Node.js ${node}: its child processes and their stacks are seen, its tasks are not`
        : null),
    exitCode: exit?.exitCode ?? null,
    signal: exit?.signal ?? null,
    readOnly: false,
  }
}

/**
 * Why the program has not succeeded; null while it runs, and when it has.
 * @param endedBy The signal by which Unhang ended it.
 */
export function failureText(
  name: string,
  exit: RootExit | undefined,
  endedBy: 'SIGTERM' | 'SIGKILL' | null,
): string | null {
  if (exit === undefined) return null
  const { exitCode, signal } = exit
  if (signal !== null) return `${name} was ended by ${signal}`
  // Exit code 0 alone would be a success.
  if (exitCode === 0) return endedBy === null ? null : `${name} was ended by Unhang (${endedBy}), and left with code 0`
  return exitCode === null ? `${name} ended, and nobody told how` : `${name} exited with code ${exitCode}`
}
