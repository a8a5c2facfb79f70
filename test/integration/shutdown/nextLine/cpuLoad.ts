import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/** Ends with the test run, too, however that ends: nobody else would notice it. */
const burner =
  'process.stdin.on("end", () => process.exit()).resume(); setInterval(() => { for (const end = Date.now() + 50; ' +
  'Date.now() < end;); })'

/** Keeps every core busy until `end()`, so that who is signalled and who waits take turns as on a loaded machine. */
export class CpuLoad {
  readonly #burners: ChildProcess[] = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', burner], { stdio: ['pipe', 'ignore', 'inherit'] }),
  )

  async end(): Promise<void> {
    await Promise.all(
      this.#burners.map(async (child) => {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }),
    )
  }
}
