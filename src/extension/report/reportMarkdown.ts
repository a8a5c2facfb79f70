import * as l10n from '@vscode/l10n'
import type { PoolVerdictSnapshot, ShutdownReportWire, TaskFailures } from '../../protocol'
import { exitText, formatDuration, formatSeconds, verdictText, verdictTexts } from '../../words'
import type { PoolRecord } from '../model/poolStore'
import { escapeMarkdown, tableCell } from '../text/markdown'
import { poolRow, taskElapsedMs, workerRow } from '../text/rows'

/** A shutdown as it is kept for the report. */
export interface KeptShutdown {
  readonly askedBy: string
  readonly reason: string
  readonly report: ShutdownReportWire
}

export interface PoolReportParts {
  readonly name: string
  readonly pool: PoolRecord | undefined
  readonly failures: TaskFailures | undefined
  readonly shutdowns: readonly KeptShutdown[]
}

/**
 * Everything known of a pool as one Markdown document: state, stuck tasks with evidence, failures, workers, shutdowns.
 */
export function poolReport({ name, pool, failures, shutdowns }: PoolReportParts, now: number): string {
  const sections = [`# ${escapeMarkdown(name)}`]
  if (pool === undefined) sections.push(l10n.t('The pool is no longer known to the host; its shutdowns are below.'))
  else sections.push(...stateSection(pool, now), ...stuckSection(pool, now))
  if (failures !== undefined && failures.failures.length > 0) sections.push(failuresSection(failures))
  if (pool !== undefined && pool.workers.size > 0) sections.push(workersSection(pool, now))
  for (const shutdown of [...shutdowns].reverse()) sections.push(shutdownSection(shutdown))
  return `${sections.join('\n\n')}\n`
}

function stateSection({ header }: PoolRecord, now: number): string[] {
  const ran = formatSeconds((header.endedAt ?? now) - header.startedAt)
  const started = new Date(header.startedAt).toISOString()
  const lines = [
    escapeMarkdown(poolRow(header).description),
    '',
    `- ${l10n.t('Id: {0}', `\`${header.id}\``)}`,
    `- ${l10n.t('Kind: {0}', header.kind)}`,
    header.endedAt === null
      ? `- ${l10n.t('Started: {0}, running for {1}', started, ran)}`
      : `- ${l10n.t('Started: {0}, ran for {1}', started, ran)}`,
  ]
  if (header.failure !== null) lines.push(`- ${l10n.t('Failure: {0}', escapeMarkdown(header.failure))}`)
  if (header.orphaned) lines.push(`- ${l10n.t('Left behind by a host that died')}`)
  return [lines.join('\n')]
}

function stuckSection(pool: PoolRecord, now: number): string[] {
  const looked = [...pool.workers.values()].filter((worker) => worker.status !== 'exited' && worker.task?.verdict)
  const onPool = pool.header.verdicts.map((verdict) => verdictSection(verdict))
  if (looked.length === 0 && onPool.length === 0) return []
  const entries = looked.flatMap((worker) => {
    const { task } = worker
    if (task?.verdict == null) return []
    const { code, confidence } = task.verdict
    const { summary, evidence, advice } = verdictTexts(task.verdict)
    return [
      [
        `### ${escapeMarkdown(task.label)}`,
        `${escapeMarkdown(workerRow(worker, now).label)}, ${l10n.t('pid {0}', worker.pid)}, ` +
          `${formatSeconds(taskElapsedMs(task, now))}: **${escapeMarkdown(verdictText(code))}** (${confidence})`,
        escapeMarkdown(summary),
        evidence.map(({ what, value }) => `- ${escapeMarkdown(what)}: ${escapeMarkdown(value)}`).join('\n'),
        escapeMarkdown(advice),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    ]
  })
  return [`## ${l10n.t('Stuck and slow')}`, ...onPool, ...entries]
}

function verdictSection(verdict: PoolVerdictSnapshot): string {
  const { code, confidence, worker, pid } = verdict
  const { summary, evidence, advice } = verdictTexts(verdict)
  const who = worker === null || pid === null ? '' : `${escapeMarkdown(worker)}, ${l10n.t('pid {0}', pid)}: `
  return [
    `### ${escapeMarkdown(verdictText(code))}`,
    `${who}**${escapeMarkdown(summary)}** (${confidence})`,
    evidence.map(({ what, value }) => `- ${escapeMarkdown(what)}: ${escapeMarkdown(value)}`).join('\n'),
    escapeMarkdown(advice),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function failuresSection({ failures, total }: TaskFailures): string {
  const rows = failures.map((failure) => [
    failure.label,
    failure.state,
    exitText(failure) ?? '',
    failure.worker === '' ? '' : `${failure.worker} (${failure.pid})`,
    formatDuration(failure.elapsedMs),
    String(failure.attempts),
    failure.message,
  ])
  const title =
    total > failures.length
      ? l10n.t('Failures (the last {0} of {1})', failures.length, total)
      : l10n.t('Failures ({0})', total)
  const files = failures.flatMap((failure) =>
    [failure.stdoutPath, failure.stderrPath].flatMap((path) =>
      path === null ? [] : [`- ${escapeMarkdown(failure.label)}: \`${path}\``],
    ),
  )
  const parts = [
    `## ${title}`,
    table(
      [
        l10n.t('Task'),
        l10n.t('State'),
        l10n.t('Exit'),
        l10n.t('Worker'),
        l10n.t('Time'),
        l10n.t('Runs'),
        l10n.t('Message'),
      ],
      rows,
    ),
  ]
  if (files.length > 0) parts.push(`${l10n.t('Full output:')}\n\n${files.join('\n')}`)
  return parts.join('\n\n')
}

function workersSection(pool: PoolRecord, now: number): string {
  const rows = [...pool.workers.values()].map((worker) => [
    worker.name,
    String(worker.pid),
    workerRow(worker, now).description,
    String(worker.tasksDone),
  ])
  const titles = [l10n.t('Worker'), l10n.t('Pid'), l10n.t('State'), l10n.t('Tasks done')]
  return `## ${l10n.t('Workers')}\n\n${table(titles, rows)}`
}

function shutdownSection({ askedBy, reason, report }: KeptShutdown): string {
  const heading = l10n.t(
    'Shutdown of {0} at {1}',
    escapeMarkdown(report.subject.name),
    new Date(report.startedAt).toISOString(),
  )
  const rows = report.workers.map((worker) => [
    worker.descendantOf === undefined
      ? worker.name
      : l10n.t('{0}, left behind by {1}', worker.name, worker.descendantOf),
    String(worker.pid),
    worker.foreseen.join(', '),
    worker.sent.map(sentText).join(', '),
    worker.heldBackBy === undefined
      ? worker.outcome
      : l10n.t('{0}: it would let {1} go on', worker.outcome, worker.heldBackBy.name),
    worker.endedAfterMs === undefined ? '' : formatDuration(worker.endedAfterMs),
  ])
  return [
    `## ${heading}`,
    l10n.t(
      'Asked by {0}: {1}. Took {2}.',
      escapeMarkdown(askedBy),
      escapeMarkdown(reason),
      formatDuration(report.durationMs),
    ),
    report.issues.length === 0
      ? l10n.t('No issues: everything ended.')
      : report.issues.map((issue) => `- **${escapeMarkdown(issue)}**`).join('\n'),
    rows.length === 0
      ? ''
      : table(
          [l10n.t('Process'), l10n.t('Pid'), l10n.t('Planned'), l10n.t('Sent'), l10n.t('Outcome'), l10n.t('After')],
          rows,
        ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** `1: SIGTERM at 12 ms`: the signals of a shutdown are counted over all its processes. */
function sentText({ signal, atMs, outcome, order }: ShutdownReportWire['workers'][number]['sent'][number]): string {
  const at = l10n.t('{0} at {1}', signal, formatDuration(atMs))
  return `${order === undefined ? '' : `${order}: `}${at}${outcome === 'sent' ? '' : ` (${outcome})`}`
}

/** A cell wider than this does not push the others of its column aside. */
const widestColumn = 48

/** Columns are padded, so that the table also reads as a table before it is rendered. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map(tableCell))
  const widths = header.map((_, column) =>
    Math.max(3, ...cells.map((row) => row[column]?.length ?? 0).filter((width) => width <= widestColumn)),
  )
  const [head = [], ...body] = cells
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n')
}
