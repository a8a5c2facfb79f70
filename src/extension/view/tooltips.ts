import * as l10n from '@vscode/l10n'
import type {
  PoolHeader,
  PoolVerdictSnapshot,
  ProgramSnapshot,
  StatsSnapshot,
  TaskSnapshot,
  VerdictSnapshot,
  WorkerSnapshot,
} from '../../protocol'
import {
  exitText,
  formatBytes,
  formatDuration,
  formatPercent,
  formatSeconds,
  taskStateText,
  verdictText,
  verdictTexts,
  workerStatusText,
} from '../../words'
import { escapeMarkdown } from '../text/markdown'
import { poolRow, taskElapsedMs } from '../text/rows'

/** A pool with more functions than this is looked at by its API. */
const mostFunctions = 5

/** A hover is no report: what is below these has the same cause, mostly. */
const mostVerdicts = 3

/**
 * What a hover over a pool says. Markdown, made only when it is looked at.
 * @param inside How many pools are in it, if it is a program.
 * @param main The process of a program.
 */
export function poolTooltip(pool: PoolHeader, now: number, inside = 0, main?: WorkerSnapshot): string {
  const running = formatSeconds((pool.endedAt ?? now) - pool.startedAt)
  return paragraphs([
    `**${escapeMarkdown(pool.name)}** — ${escapeMarkdown(poolRow(pool, undefined, inside).description)}`,
    ...(pool.state === 'ended'
      ? []
      : pool.verdicts.slice(0, mostVerdicts).map((verdict) => verdictMarkdown(verdict, verdict.stuck))),
    pool.state !== 'ended' && pool.verdicts.length > mostVerdicts
      ? l10n.t('… and {0} more', pool.verdicts.length - mostVerdicts)
      : undefined,
    ...(pool.program === null ? [] : programMarkdown(pool.program)),
    main === undefined || main.status === 'exited' ? undefined : usageMarkdown(main),
    pool.orphaned && pool.state !== 'ended'
      ? l10n.t('Its host died and left it behind. It can only be terminated or killed.')
      : undefined,
    pool.failure === null ? undefined : `$(error) ${escapeMarkdown(pool.failure)}`,
    pool.endedAt === null ? l10n.t('Running for {0}.', running) : l10n.t('Ran for {0}.', running),
    pool.stats === null ? undefined : statsMarkdown(pool.stats),
    pool.issues.length === 0
      ? undefined
      : [l10n.t('Issues of the last shutdown:'), ...pool.issues.map((issue) => `- ${escapeMarkdown(issue)}`)].join(
          '\n',
        ),
  ])
}

/** What a program was started as, and what there is to know of how it is watched. */
function programMarkdown({ argv, observer, message, readOnly, exitCode, signal }: ProgramSnapshot): string[] {
  const ended = exitCode !== null || signal !== null
  return [
    ...(argv.length === 0 ? [] : [escapeMarkdown(argv.join(' '))]),
    ...(readOnly && !ended
      ? [l10n.t('Attached read-only. Unhang sends no signal until you have reviewed the process list and confirmed.')]
      : []),
    ...(observer === 'waiting' && !ended ? [l10n.t('It has not made a pool yet.')] : []),
    ...(observer === 'failed' ? [l10n.t('Nothing is seen inside it: {0}', escapeMarkdown(message ?? ''))] : []),
  ]
}

/** How busy the workers were, and what the tasks took: enough to see what to expect of the ones to come. */
function statsMarkdown({ utilisation, functions }: StatsSnapshot): string | undefined {
  const lines = functions
    .filter(({ runMs }) => runMs !== null)
    .slice(0, mostFunctions)
    .map(({ name, runs, runMs }) => {
      const times =
        runMs === null
          ? ''
          : l10n.t(
              'median {0}, p99 {1}, max {2}',
              formatDuration(runMs.p50),
              formatDuration(runMs.p99),
              formatDuration(runMs.max),
            )
      return `- ${escapeMarkdown(`${name}: ${runs === 1 ? l10n.t('1 run') : l10n.t('{0} runs', runs)}, ${times}`)}`
    })
  if (lines.length === 0) return undefined
  return [
    escapeMarkdown(l10n.t('Workers busy {0} of their time.', formatPercent(utilisation * 100))),
    '',
    ...lines,
  ].join('\n')
}

/** What a hover over a worker says: usage, and the verdicts on it and on its task with the evidence. */
export function workerTooltip(worker: WorkerSnapshot, now: number, verdict?: PoolVerdictSnapshot): string {
  const lifetime = formatSeconds((worker.exitedAt ?? now) - worker.startedAt)
  const status = worker.status === 'exited' ? (exitText(worker) ?? l10n.t('exited')) : workerStatusText(worker.status)
  return paragraphs([
    `**${escapeMarkdown(worker.name)}** — ${l10n.t('pid {0}', worker.pid)}`,
    [
      status,
      worker.tasksDone === 1 ? l10n.t('1 task done') : l10n.t('{0} tasks done', worker.tasksDone),
      worker.exitedAt === null ? l10n.t('up {0}', lifetime) : l10n.t('lived {0}', lifetime),
    ]
      .map(escapeMarkdown)
      .join(' · '),
    usageMarkdown(worker),
    verdict === undefined ? undefined : verdictMarkdown(verdict, verdict.stuck),
    worker.task === null ? undefined : taskTooltip(worker.task, now),
  ])
}

function usageMarkdown({ cpuPercent, memoryBytes }: WorkerSnapshot): string | undefined {
  const usage: string[] = []
  if (cpuPercent !== null) usage.push(l10n.t('CPU {0}', formatPercent(cpuPercent)))
  if (memoryBytes !== null) usage.push(l10n.t('memory {0}', formatBytes(memoryBytes)))
  return usage.length === 0 ? undefined : usage.map(escapeMarkdown).join(' · ')
}

/** What a hover over a task says. */
export function taskTooltip(task: TaskSnapshot, now: number): string {
  const elapsed = formatSeconds(taskElapsedMs(task, now))
  return paragraphs([
    `**${escapeMarkdown(task.label)}** — ${escapeMarkdown(`${taskStateText(task.state)} · ${elapsed}`)}`,
    task.verdict === null ? undefined : verdictMarkdown(task.verdict, task.stuck),
  ])
}

function verdictMarkdown(verdict: VerdictSnapshot, stuck: boolean): string {
  const heading = stuck ? l10n.t('Stuck: {0}', verdictText(verdict.code)) : verdictText(verdict.code)
  const { summary, evidence, advice } = verdictTexts(verdict)
  return paragraphs([
    `${stuck ? '$(warning) ' : ''}**${escapeMarkdown(heading)}** (${confidenceText(verdict.confidence)})`,
    escapeMarkdown(summary),
    evidence.length === 0
      ? undefined
      : evidence.map(({ what, value }) => `- ${escapeMarkdown(what)}: ${escapeMarkdown(value)}`).join('\n'),
    advice === '' ? undefined : `_${escapeMarkdown(advice)}_`,
  ])
}

function confidenceText(confidence: VerdictSnapshot['confidence']): string {
  switch (confidence) {
    case 'certain':
      return l10n.t('certain')
    case 'likely':
      return l10n.t('likely')
    case 'possible':
      return l10n.t('possible')
  }
}

function paragraphs(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('\n\n')
}
