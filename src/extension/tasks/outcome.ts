import { constants } from 'node:os'
import * as l10n from '@vscode/l10n'
import type { LaunchErrorData, PoolHeader, PoolVerdictSnapshot } from '../../protocol'
import { formatPreciseDuration } from '../text/durations'
import { exitText } from '../text/exits'
import { totalTasks } from '../text/rows'
import { verdictText } from '../text/states'
import { plainLine } from './outputLines'
import * as styles from './styles'

/** Every task done, none missing: nothing less is a success. Of a program: that it says so itself, by its exit code. */
export function succeeded({ counts, failure, program }: PoolHeader): boolean {
  return failure === null && (program === null ? counts.done === totalTasks(counts) : program.exitCode === 0)
}

/** The exit code of the task's terminal; a program's own, or as a shell has it: 128 and the number of the signal. */
export function terminalExitCode(pool: PoolHeader): number {
  const { program } = pool
  if (succeeded(pool)) return 0
  if (program?.signal != null)
    return 128 + ((constants.signals as Readonly<Record<string, number>>)[program.signal] ?? 0)
  return program?.exitCode != null && program.exitCode !== 0 ? program.exitCode : 1
}

/** A verdict that has just appeared on a pool of a program: what is wrong and what would help. */
export function verdictLines({ stuck, code, summary, advice }: PoolVerdictSnapshot): string[] {
  const heading = stuck ? l10n.t('Stuck: {0}', verdictText(code)) : verdictText(code)
  return [
    styles.yellow(`${styles.bold(heading)} ${styles.yellow(`— ${plainLine(summary)}`)}`),
    ...(advice === '' ? [] : [styles.yellow(`  ${plainLine(advice)}`)]),
  ]
}

/** A line of output with the name of the worker it came from; stderr has a yellow bar. */
export function workerLine(worker: string, stream: string, line: string): string {
  return `${styles.workerName(plainLine(worker))} ${stream === 'stderr' ? styles.yellow('│') : styles.dim('│')} ${line}`
}

/** A table set apart from the output above it. */
export function tableLines(lines: readonly string[]): string[] {
  const [header, ...rows] = lines
  return header === undefined ? [] : ['', styles.bold(header), ...rows, '']
}

/** The last lines: why the pool failed, what could not be ended, how many tasks are done. */
export function summaryLines(pool: PoolHeader, elapsedMs: number): string[] {
  const { counts } = pool
  const total = totalTasks(counts)
  // How a program ended is said below; that is its failure.
  const lines = pool.failure === null || endOf(pool) !== undefined ? [] : [styles.red(plainLine(pool.failure))]
  lines.push(...pool.issues.map((issue) => styles.yellow(plainLine(issue))))
  if (pool.program !== null) {
    const exit = l10n.t('{0} after {1}', endOf(pool) ?? l10n.t('ended'), formatPreciseDuration(elapsedMs))
    return [...lines, styles.bold(succeeded(pool) ? styles.green(exit) : styles.red(exit))]
  }
  const text = l10n.t('{0} of {1} tasks done in {2}', counts.done, total, formatPreciseDuration(elapsedMs))
  lines.push(styles.bold(succeeded(pool) ? styles.green(text) : styles.red(text)))
  return lines
}

/** `exit 1`, `exit -9 (SIGKILL)`; undefined while it runs, and where nobody saw its end. */
function endOf({ program }: PoolHeader): string | undefined {
  if (program === null || (program.exitCode === null && program.signal === null)) return undefined
  return exitText(program.exitCode, program.signal)
}

/** An error as lines; a definition that cannot run is one line for each key. */
export function errorLines(error: unknown): string[] {
  const problems = (error as { readonly data?: Partial<LaunchErrorData> } | undefined)?.data?.problems
  if (Array.isArray(problems) && problems.length > 0) {
    return [
      l10n.t('This pool task cannot run:'),
      ...problems.map(({ key, message }) => `  ${plainLine(message.includes(key) ? message : `${key}: ${message}`)}`),
    ]
  }
  return [plainLine(error instanceof Error ? error.message : String(error))]
}
