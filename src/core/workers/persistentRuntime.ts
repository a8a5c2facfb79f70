import type { ChildProcess } from 'node:child_process'
import type { WorkerProcess } from '../../runtimes'

/** What differs between runtimes. */
export interface PersistentRuntime {
  /** JSON is all that a Python worker reads and writes. */
  readonly values: 'clone' | 'json'
  /** @throws what can be told without trying, such as an environment that is too large */
  spawn(claimsFd: number | undefined, marker: string): WorkerProcess | { readonly child: ChildProcess }
  /** Payload of `init`. */
  readonly init: Buffer
}
