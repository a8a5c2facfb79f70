import * as l10n from '@vscode/l10n'
import type { LaunchErrorData, PoolHeader } from '../../protocol'
import { formatPreciseDuration } from '../text/durations'
import { totalTasks } from '../text/rows'
import { plainLine } from './outputLines'
import * as styles from './styles'

/** Every task done, none missing: nothing less is a success. */
export function succeeded({ counts, failure }: PoolHeader): boolean {
  return failure === null && counts.done === totalTasks(counts)
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
  const lines = pool.failure === null ? [] : [styles.red(plainLine(pool.failure))]
  lines.push(...pool.issues.map((issue) => styles.yellow(plainLine(issue))))
  const text = l10n.t('{0} of {1} tasks done in {2}', counts.done, total, formatPreciseDuration(elapsedMs))
  lines.push(styles.bold(succeeded(pool) ? styles.green(text) : styles.red(text)))
  return lines
}

/** An error as lines; a definition that cannot run is one line for each key. */
export function errorLines(error: unknown): string[] {
  const problems = (error as { readonly data?: Partial<LaunchErrorData> } | undefined)?.data?.problems
  if (Array.isArray(problems) && problems.length > 0) {
    return [l10n.t('This pool task cannot run:'), ...problems.map(({ key, message }) => `  ${plainLine(message.includes(key) ? message : `${key}: ${message}`)}`)]
  }
  return [plainLine(error instanceof Error ? error.message : String(error))]
}
