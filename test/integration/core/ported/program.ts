import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { repository, endAfterTest, isRunning, until } from '../support'
import { deadlineMs, fixtures, within } from './runtimes'
import type { Runtime } from './runtimes'

export interface ProgramEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
  /** What its pool answered. */
  readonly values: readonly number[]
  /** Its workers. */
  readonly pids: readonly number[]
}

/** Runs test/fixtures/ported/program.cjs to its end, and waits until its workers are gone as well. */
export async function runProgram(runtime: Runtime, how: string): Promise<ProgramEnd> {
  const options = runtime.options({ processes: 2 })
  const program = spawn(
    process.execPath,
    [join(fixtures, 'program.cjs'), join(repository, 'dist/core.js'), JSON.stringify(options), how],
    {
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  if (program.pid !== undefined) endAfterTest(program.pid)
  let stdout = ''
  let stderr = ''
  program.stdout.on('data', (text: Buffer) => {
    stdout += text.toString()
  })
  program.stderr.on('data', (text: Buffer) => {
    stderr += text.toString()
  })
  const [exitCode, signal] = (await within(once(program, 'close'), `the program that ends by ${how}`)) as [
    number | null,
    NodeJS.Signals | null,
  ]
  const { values, pids } = JSON.parse(stdout) as Pick<ProgramEnd, 'values' | 'pids'>
  for (const pid of pids) endAfterTest(pid)
  await until(() => !pids.some(isRunning), 'its workers are gone', deadlineMs)
  return { exitCode, signal, stderr, values, pids }
}
