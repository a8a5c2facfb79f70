import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createProcessTable, type ProcessIdentity } from '../../../src/processes'

/** A process that a test started. */
export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly identity: ProcessIdentity
  /** Value of UNHANG_WORKER in its environment. */
  readonly marker: string
  readonly exited: Promise<unknown>
  /** The next line of its stdout. */
  readonly line: () => Promise<string>
}

interface StartOptions {
  readonly detached?: boolean
  readonly uid?: number
  /** Drop its stderr. */
  readonly quiet?: boolean
}

const table = createProcessTable()

/** The path of a program in test/fixtures/processes. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/processes/${name}`, import.meta.url))
}

/** Waits for a condition, at most ten seconds. */
export async function until<Value>(
  condition: () => Promise<Value | undefined | false> | Value | undefined | false,
  what: string,
): Promise<Value> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`Waited ten seconds in vain for: ${what}`)
    await setTimeout(5)
  }
}

/** Starts processes for tests and ends every one of them, with all that descends from them. */
export class StartedProcesses {
  readonly #started: Started[] = []
  /** A fork server that is killed leaves the folder of its socket. */
  #temporary: string | undefined

  /** Runs a program; it is ready when its first line of output says `ready`. */
  async start(command: string, args: readonly string[], options: StartOptions = {}): Promise<Started> {
    const { quiet = false, ...spawnOptions } = options
    const marker = `test-${randomUUID()}`
    this.#temporary ??= mkdtempSync(join(tmpdir(), 'unhang-p-'))
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'],
      env: { ...process.env, TMPDIR: this.#temporary, UNHANG_WORKER: marker },
      ...spawnOptions,
    })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const line = async (): Promise<string> => {
      const next = await lines.next()
      if (next.done === true) throw new Error(`${command} ended without a line of output`)
      return next.value
    }
    const identity = (await table.identify(child.pid!))!
    const started = { child, pid: child.pid!, identity, marker, exited, line }
    this.#started.push(started)
    if ((await line()) !== 'ready') throw new Error(`${command} did not say that it is ready`)
    return started
  }

  /** Runs a shell script that prints `ready`. Quiet, because shells tell of signals. */
  shell(script: string, options: StartOptions = {}): Promise<Started> {
    return this.start('/bin/sh', ['-c', script], { quiet: true, ...options })
  }

  python(name: string): Promise<Started> {
    return this.start('python3', [fixture(name)])
  }

  node(name: string): Promise<Started> {
    return this.start(process.execPath, [fixture(name)])
  }

  /** Sends straight to a process that this object started, for the test's own purposes. */
  async kill(started: Started, signal: NodeJS.Signals): Promise<void> {
    await table.signal(started.identity, signal)
  }

  /** Ends everything that was started, and waits until it is gone. */
  async endAll(): Promise<void> {
    const started = this.#started.splice(0)
    await until(async () => {
      const below = await table.descendants(started)
      const alive = [
        ...started.map(({ identity }) => identity),
        ...[...below.values()].flat().map(({ identity }) => identity),
      ]
      const rows = await Promise.all(alive.map((identity) => table.inspect(identity)))
      const left = rows.filter((row) => row !== undefined && row.state !== 'zombie')
      await Promise.all(left.map((row) => table.signal(row!.identity, 'SIGKILL')))
      return left.length === 0
    }, 'the end of all processes of the test')
    await Promise.all(started.map(({ exited }) => exited))
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true })
    this.#temporary = undefined
  }
}
