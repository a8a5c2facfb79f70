import { poolsOfProgram, type PoolSnapshot, type RunningProgram, type WorkerSnapshot } from '../../protocol'
import { alignColumns, exitText, formatBytes, formatDuration, plainLines, totalTasks } from '../../words'
import { plainPalette, type Palette } from '../output/palette'
import { countWords } from '../words/counts'
import { plural } from '../words/plural'
import { leftLines } from '../words/unwatched'
import { programWords, verdictTag } from '../words/verdicts'
import { shownState } from './json'

const indent = '  '
/** A list of pools is to stay one. */
const mostVerdicts = 5

/**
 * What `unhang ps` prints: each pool that lives, its workers in columns, and what is wrong in words; the pools of a
 * program below it. Pools that have ended and workers that have exited are only counted, unless `all` are asked for.
 * Programs that nobody watches any more come last.
 */
export function psText(
  pools: readonly PoolSnapshot[],
  {
    palette = plainPalette,
    all = false,
    unwatched = [],
  }: { palette?: Palette; all?: boolean; unwatched?: readonly RunningProgram[] } = {},
): string {
  return [
    pools.length === 0
      ? unwatched.length === 0
        ? 'no pools'
        : 'no pools are watched'
      : poolsText(pools, palette, all),
    ...leftLines(unwatched),
  ].join('\n')
}

function poolsText(pools: readonly PoolSnapshot[], palette: Palette, all: boolean): string {
  const shown = all ? pools : pools.filter((pool) => pool.state !== 'ended')
  const clean = plainLines(shown)
  const blocks = clean
    .filter((pool) => !isNested(pool, clean))
    .map((pool) =>
      [
        ...poolLines(pool, clean, palette, all),
        ...(pool.program === null
          ? []
          : poolsOfProgram(pool, clean).flatMap((inside) =>
              poolLines(inside, clean, palette, all).map((line) => `${indent}${line}`),
            )),
      ].join('\n'),
    )
  const hidden = pools.filter((pool) => !shown.includes(pool))
  if (hidden.length > 0)
    blocks.push(`${shown.length === 0 ? 'no pools run; ' : ''}${endedWords(hidden)} ended before (unhang ps --all)`)
  return blocks.join('\n\n')
}

/** `2 programs and 1 pool`. */
function endedWords(ended: readonly PoolSnapshot[]): string {
  const programs = ended.filter(({ program }) => program !== null).length
  const pools = ended.length - programs
  return [...(programs > 0 ? [plural(programs, 'program')] : []), ...(pools > 0 ? [plural(pools, 'pool')] : [])].join(
    ' and ',
  )
}

/** In a program that is shown as well. */
function isNested(pool: PoolSnapshot, shown: readonly PoolSnapshot[]): boolean {
  return shown.some((other) => other.id === pool.programId)
}

function poolLines(pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette, all: boolean): string[] {
  const live = pool.workers.filter((worker) => worker.status !== 'exited')
  const exited = pool.workers.filter((worker) => worker.status === 'exited')
  const rows = all ? [...live, ...exited] : live
  const lines = [headline(pool, pools, palette)]
  if (rows.length > 0) lines.push(...workerTable(rows, palette))
  if (!all && pool.exitedWorkerCount > 0) lines.push(`${indent}${exitedSummary(exited, pool.exitedWorkerCount)}`)
  lines.push(
    ...poolVerdictLines(pool, palette),
    ...taskVerdictLines(
      live.filter((worker) => !isSaid(worker, pool)),
      palette,
    ),
  )
  // How a program left is in its headline.
  if (pool.failure !== null && (pool.program === null || exitText(pool.program) === undefined))
    lines.push(`${indent}${palette.bad('failed:')} ${pool.failure}`)
  lines.push(...pool.issues.map((issue) => `${indent}${palette.bad('issue:')} ${issue}`))
  return lines
}

function headline(pool: PoolSnapshot, pools: readonly PoolSnapshot[], palette: Palette): string {
  const state = shownState(pool)
  const about = [
    ...(pool.program === null ? [] : [programWords(pool, pools), exitText(pool.program) ?? '']),
    pool.orphaned
      ? 'left behind by a host that died'
      : pool.program !== null && totalTasks(pool.counts) === 0
        ? ''
        : countWords(pool.counts).join(', '),
  ]
    .filter((words) => words !== '')
    .join(', ')
  return `${palette.bold(pool.name)}  ${pool.id}  ${state === 'orphaned' ? palette.warning(state) : state}  ${about}`
}

/** A line a verdict on the pool itself; `unhang why` has the evidence. */
function poolVerdictLines({ verdicts }: PoolSnapshot, palette: Palette): string[] {
  const shown = verdicts.slice(0, mostVerdicts)
  return [
    ...shown.map(
      (verdict) =>
        `${indent}${(verdict.stuck ? palette.bad : palette.warning)(`${verdictTag(verdict)}:`)} ${verdict.summary}`,
    ),
    ...(verdicts.length > shown.length ? [`${indent}… and ${verdicts.length - shown.length} more (unhang why)`] : []),
  ]
}

const header = ['WORKER', 'PID', 'STATUS', 'CPU', 'MEMORY', 'FOR', 'TASK'] as const
const rightAligned = [1, 3, 4, 5] as const

function workerTable(workers: readonly WorkerSnapshot[], palette: Palette): string[] {
  const rows = workers.map((worker) => [
    worker.name,
    worker.pid > 0 ? String(worker.pid) : '',
    worker.status === 'exited' ? (exitText(worker) ?? 'exited') : worker.status,
    worker.cpuPercent === null ? '' : `${Math.round(worker.cpuPercent)} %`,
    worker.memoryBytes === null ? '' : formatBytes(worker.memoryBytes),
    worker.task === null ? '' : formatDuration(worker.task.elapsedMs),
    taskCell(worker, palette),
  ])
  return alignColumns([header.map((title) => palette.dim(title)), ...rows], { indent, right: rightAligned })
}

function taskCell({ task, status }: WorkerSnapshot, palette: Palette): string {
  if (task === null) return ''
  // A rescue put it into the queue again.
  if (status === 'exited') return `${task.label} ${task.state === 'queued' ? 'runs again' : task.state}`
  if (task.verdict === null) return task.label
  const flag = task.stuck ? palette.bad(`stuck: ${task.verdict.code}`) : palette.warning(task.verdict.code)
  return `${task.label}  ${flag}`
}

/** `4 exited: 3 × exit 0, 1 × exit -9 (SIGKILL)`. */
function exitedSummary(listed: readonly WorkerSnapshot[], total: number): string {
  const byExit = new Map<string, number>()
  for (const worker of listed) {
    const exit = exitText(worker) ?? 'exit unknown'
    byExit.set(exit, (byExit.get(exit) ?? 0) + 1)
  }
  const kinds = [...byExit].map(([exit, count]) => `${count} × ${exit}`).join(', ')
  const scope =
    listed.length === 0 ? '' : listed.length < total ? ` (the last ${listed.length}: ${kinds})` : `: ${kinds}`
  return `${plural(total, 'exited worker')}${scope}`
}

/** The verdicts of a program's pool are those of its workers, too. */
function isSaid({ pid, task }: WorkerSnapshot, { verdicts }: PoolSnapshot): boolean {
  return verdicts.some((verdict) => verdict.pid === pid && verdict.code === task?.verdict?.code)
}

function taskVerdictLines(workers: readonly WorkerSnapshot[], palette: Palette): string[] {
  return workers.flatMap(({ name, task }) => {
    if (!task?.verdict) return []
    const { summary, evidence, advice } = task.verdict
    const facts = evidence.map((fact) => `${fact.what}: ${fact.value}`).join('; ')
    return [
      `${indent}${palette.bold(name)}: ${summary}`,
      ...(facts === '' ? [] : [`${indent}${indent}${palette.dim(facts)}`]),
      `${indent}${indent}${advice}`,
    ]
  })
}
