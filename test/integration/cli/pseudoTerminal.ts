import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { until, type Workspace } from './workspace'

const ptyScript = fileURLToPath(new URL('pseudo_terminal.py', import.meta.url))

/** A command in a pseudo-terminal, with what it has shown so far. */
export class RealTerminal {
  shown = ''
  readonly ended: Promise<number | null>
  readonly #child: ChildProcessByStdio<Writable, Readable, null>

  /** @param other Something else than `unhang`, for a shell that runs it. */
  constructor(workspace: Workspace, args: readonly string[], columns = 100, other?: readonly string[]) {
    const { command: own, cwd, env } = workspace.commandLine(args)
    const command = other ?? own
    this.#child = spawn('python3', [ptyScript, String(columns), ...command], {
      cwd,
      env: { ...env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text
    })
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null)
  }
  type(text: string): void {
    this.#child.stdin.write(text)
  }
  close(): void {
    this.#child.stdin.end()
  }
  async untilShown(text: string | RegExp): Promise<void> {
    await until(
      `the terminal shows ${String(text)}`,
      () => (typeof text === 'string' ? this.shown.includes(text) : text.test(this.shown)) || undefined,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; shown: ${this.shown}`)
    })
  }
}
