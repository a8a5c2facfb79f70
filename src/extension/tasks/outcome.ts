import * as l10n from '@vscode/l10n'
import type { LaunchErrorData, PoolHeader, PoolVerdictSnapshot } from '../../protocol'
import {
  exitText,
  formatDuration,
  plainLine,
  signalNumber,
  succeeded,
  totalTasks,
  verdictText,
  verdictTexts,
} from '../../words'
import * as styles from './styles'

/** The exit code of the task's terminal; a program's own, or as a shell has it: 128 and the number of the signal. */
export function terminalExitCode(pool: PoolHeader): number {
  const { program } = pool
  if (succeeded(pool)) return 0
  if (program?.signal != null) return 128 + (signalNumber(program.signal) ?? 0)
  return program?.exitCode != null && program.exitCode !== 0 ? program.exitCode : 1
}

/** A verdict that has just appeared on a pool of a program: what is wrong and what would help. */
export function verdictLines(verdict: PoolVerdictSnapshot): string[] {
  const { stuck, code } = verdict
  const { summary, advice } = verdictTexts(verdict)
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
    const exit = l10n.t('{0} after {1}', endOf(pool) ?? l10n.t('ended'), formatDuration(elapsedMs))
    return [...lines, styles.bold(succeeded(pool) ? styles.green(exit) : styles.red(exit))]
  }
  const text = l10n.t('{0} of {1} tasks done in {2}', counts.done, total, formatDuration(elapsedMs))
  lines.push(styles.bold(succeeded(pool) ? styles.green(text) : styles.red(text)))
  return lines
}

/** `exit 1`, `exit -9 (SIGKILL)`; undefined while it runs, and when its end was not seen. */
function endOf({ program }: PoolHeader): string | undefined {
  return program === null ? undefined : exitText(program)
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
