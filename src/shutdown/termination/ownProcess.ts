/**
 * The process that is going to be taken away, as far as the handler deals with it. Tests put another one in its place.
 */
export interface OwnProcess {
  /** @returns what stops listening. */
  onSigterm(listener: () => void): () => void
  /**
   * For the last seconds: an error that nobody catches does not end the process (tasks are being cut, and programs
   * seldom catch that), and when it ends by itself, it does so with this exit code, if there is one. @returns what
   * takes that back.
   */
  guard(exitCode: number | undefined, onUncaught: (error: unknown) => void): () => void
  exit(exitCode: number): void
}

/** This process. */
export const ownProcess: OwnProcess = {
  onSigterm(listener) {
    process.on('SIGTERM', listener)
    return () => {
      process.off('SIGTERM', listener)
    }
  },
  guard(exitCode, onUncaught) {
    const keepCode = (): void => {
      if (exitCode !== undefined) process.exitCode = exitCode
    }
    process.on('uncaughtException', onUncaught)
    process.on('exit', keepCode)
    return () => {
      process.off('uncaughtException', onUncaught)
      process.off('exit', keepCode)
    }
  },
  exit(exitCode) {
    process.exit(exitCode)
  },
}
