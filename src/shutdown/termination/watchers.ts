import { bounded } from './bounded'
import { metadataHost, readMetadata, MetadataError } from './metadata'

/** Whom a watcher tells. */
export interface WatchHooks {
  /** The notice has come; called once. `source` says from where, for people. */
  notice(source: string): void
  /** Looking failed; the watcher goes on. Called once for as long as the same thing fails. */
  problem(error: Error): void
}

/** Waits for the notice that this process is going to be taken away. */
export interface TerminationWatcher {
  /** Starts watching, without keeping the process alive. @returns what stops it; calling that twice is fine. */
  watch(hooks: WatchHooks): () => void
}

export interface PollingOptions {
  /** Where the notice comes from, for people. */
  readonly source: string
  /** From the end of one look to the start of the next. Default 1000, as TensorFlow. */
  readonly intervalMs?: number
  /**
   * A look that takes longer has failed. Default 3000; TensorFlow's has no end, so that a server that hangs blinds it.
   */
  readonly timeoutMs?: number
}

const defaultIntervalMs = 1000
const defaultTimeoutMs = 3000

/**
 * Asks again and again (TensorFlow's `termination_watcher_fn`); what fails or hangs is a problem told, and the next
 * look comes.
 */
export function pollingWatcher(
  look: (signal: AbortSignal) => boolean | Promise<boolean>,
  options: PollingOptions,
): TerminationWatcher {
  const { source, intervalMs = defaultIntervalMs, timeoutMs = defaultTimeoutMs } = options
  return {
    watch(hooks) {
      const stop = new AbortController()
      let timer: NodeJS.Timeout | undefined
      let lastProblem: string | undefined
      const poll = async (): Promise<void> => {
        const outcome = await bounded((signal) => look(AbortSignal.any([signal, stop.signal])), timeoutMs, {
          keepAlive: false,
        })
        if (stop.signal.aborted) return
        if (outcome.kind === 'done' && outcome.value) {
          stop.abort()
          hooks.notice(source)
          return
        }
        const problem =
          outcome.kind === 'late'
            ? new Error(`${source} did not answer within ${timeoutMs} ms`)
            : outcome.kind === 'failed'
              ? asError(outcome.error)
              : undefined
        if (problem !== undefined && problem.message !== lastProblem) hooks.problem(problem)
        lastProblem = problem?.message
        timer = setTimeout(() => {
          void poll()
        }, intervalMs)
        timer.unref()
      }
      void poll()
      return () => {
        stop.abort()
        clearTimeout(timer)
      }
    },
  }
}

/** What the metadata server says once the machine is going to be stopped for maintenance. */
const terminateEvent = 'TERMINATE_ON_HOST_MAINTENANCE'

/**
 * Polls the metadata server of Google's cloud for a maintenance that ends the machine. Its address: see `metadataHost`.
 */
export function metadataWatcher(
  options: { readonly env?: NodeJS.ProcessEnv; readonly intervalMs?: number; readonly timeoutMs?: number } = {},
): TerminationWatcher {
  const { env = process.env, ...timing } = options
  const host = metadataHost(env)
  const path = 'instance/maintenance-event'
  return pollingWatcher(
    async (signal) => {
      const { status, body } = await readMetadata(host, path, signal)
      if (status !== 200)
        throw new MetadataError(`http://${host}/computeMetadata/v1/${path}`, `it answered with status ${status}`)
      return body.trim() === terminateEvent
    },
    { source: `metadata server ${host}`, ...timing },
  )
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
