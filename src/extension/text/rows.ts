import * as l10n from '@vscode/l10n'
import type { PoolHeader, PoolVerdictSnapshot, ProgramSnapshot, TaskSnapshot, WorkerSnapshot } from '../../protocol'
import {
  exitText,
  formatElapsed,
  poolStateText,
  totalTasks,
  taskStateText,
  verdictText,
  workerStatusText,
} from '../../words'
import { verdictPart } from './verdicts'

/** What a row says: everything that its icon and colour say is also here, in words. */
export interface RowText {
  readonly label: string
  readonly description: string
  /** Read aloud by a screen reader instead of label and description. */
  readonly accessibilityLabel: string
}

const separator = ' · '

/**
 * `running · stuck: lost task run(7) · 3 busy · 4 of 12 done · 10 s left`, with the folder's name in front if one is
 * given; of a program `pid 4711 · python 3.11.7 · 2 pools`.
 * @param inside How many pools are in it, if it is a program.
 */
export function poolRow(pool: PoolHeader, folder?: string, inside = 0): RowText {
  const { counts, program } = pool
  const parts = [
    ...(folder === undefined ? [] : [folder]),
    ...(program === null ? poolStateParts(pool) : programParts(pool, program, inside)),
  ]
  const verdict = pool.state === 'ended' ? undefined : verdictPart(pool)
  if (verdict !== undefined) parts.push(verdict)
  if (counts.running > 0) parts.push(l10n.t('{0} busy', counts.running))
  // What is stuck has been said, with how many more there are.
  if (counts.stuck > 0 && verdict === undefined) parts.push(l10n.t('{0} stuck', counts.stuck))
  if (totalTasks(counts) > 0) parts.push(l10n.t('{0} of {1} done', counts.done, totalTasks(counts)))
  for (const [count, text] of [
    [counts.failed, l10n.t('{0} failed', counts.failed)],
    [counts.lost, l10n.t('{0} lost', counts.lost)],
    [counts.timedOut, l10n.t('{0} timed out', counts.timedOut)],
    [counts.cancelled, l10n.t('{0} cancelled', counts.cancelled)],
  ] as const) {
    if (count > 0) parts.push(text)
  }
  if (pool.etaMs !== null && pool.state !== 'ended') parts.push(l10n.t('{0} left', formatElapsed(pool.etaMs, true)))
  if (pool.issues.length > 0)
    parts.push(pool.issues.length === 1 ? l10n.t('1 issue') : l10n.t('{0} issues', pool.issues.length))
  const spoken = parts.join(', ')
  return {
    label: pool.name,
    description: parts.join(separator),
    accessibilityLabel:
      program === null ? l10n.t('pool {0}, {1}', pool.name, spoken) : l10n.t('program {0}, {1}', pool.name, spoken),
  }
}

/** What a program is; how it ended once it has. */
function programParts({ state, failure, orphaned }: PoolHeader, program: ProgramSnapshot, inside: number): string[] {
  const parts: string[] = []
  if (state === 'ended') parts.push(exitText(program) ?? l10n.t('ended'))
  else if (failure !== null) parts.push(l10n.t('failed'))
  else if (state !== 'run') parts.push(poolStateText(state))
  if (orphaned && state !== 'ended') parts.push(l10n.t('orphaned'))
  if (program.pid !== null && state !== 'ended') parts.push(l10n.t('pid {0}', program.pid))
  if (program.python !== null) parts.push(l10n.t('python {0}', program.python))
  if (inside > 0) parts.push(inside === 1 ? l10n.t('1 pool') : l10n.t('{0} pools', inside))
  else if (state !== 'ended' && program.observer === 'waiting') parts.push(l10n.t('no pool yet'))
  if (program.observer === 'failed') parts.push(l10n.t('not observed'))
  if (program.readOnly && state !== 'ended') parts.push(l10n.t('read-only'))
  return parts
}

/** An orphaned pool is known by that alone, until its workers have ended too. */
function poolStateParts({ orphaned, state, failure }: PoolHeader): string[] {
  if (orphaned && state !== 'ended') return [l10n.t('orphaned')]
  const text = failure === null ? poolStateText(state) : l10n.t('failed')
  return orphaned ? [text, l10n.t('orphaned')] : [text]
}

/**
 * `pid 4211 · busy 40 s · resize(img_7.png)`, `pid 4211 · stuck 40 s · …`, and after the end
 * `exit -9 (SIGKILL) · resize(img_3.png) lost`.
 * @param verdict Of its pool, on this worker; that it lost its task is said of the task.
 */
export function workerRow(worker: WorkerSnapshot, now: number, verdict?: PoolVerdictSnapshot): RowText {
  const parts = worker.status === 'exited' ? exitedParts(worker) : liveParts(worker, now)
  if (verdict !== undefined && verdict.code !== 'lost-task') parts.push(verdictText(verdict.code))
  return {
    label: worker.name,
    description: parts.join(separator),
    accessibilityLabel: l10n.t('worker {0}, {1}', worker.name, parts.join(', ')),
  }
}

function liveParts(worker: WorkerSnapshot, now: number): string[] {
  const parts = worker.pid > 0 ? [l10n.t('pid {0}', worker.pid)] : []
  const { task } = worker
  if (worker.status === 'busy' && task !== null) {
    const elapsed = rowElapsed(task, now)
    if (task.stuck) parts.push(l10n.t('stuck {0}', elapsed))
    else if (task.verdict?.code === 'slow') parts.push(l10n.t('slow {0}', elapsed))
    else parts.push(l10n.t('busy {0}', elapsed))
    parts.push(task.label)
  } else {
    parts.push(workerStatusText(worker.status))
    // It was told to end and did not: that it hangs is still what matters.
    if (task?.stuck === true) parts.push(l10n.t('stuck {0}', rowElapsed(task, now)))
    if (task !== null) parts.push(task.label)
  }
  return parts
}

/** A task with a verdict is one that somebody hovers over to read why, so its row keeps still for longer. */
function rowElapsed(task: TaskSnapshot, now: number): string {
  return formatElapsed(taskElapsedMs(task, now), task.stuck || task.verdict !== null)
}

function exitedParts(worker: WorkerSnapshot): string[] {
  const parts = [exitText(worker) ?? l10n.t('exited')]
  // A rescue put it into the queue again.
  if (worker.task?.state === 'queued') parts.push(l10n.t('{0} runs again', worker.task.label))
  else if (worker.task !== null) parts.push(`${worker.task.label} ${taskStateText(worker.task.state)}`)
  return parts
}

/** `running 40 s · no progress`, `lost`. */
export function taskRow(task: TaskSnapshot, now: number): RowText {
  const parts = [task.state === 'running' ? l10n.t('running {0}', rowElapsed(task, now)) : taskStateText(task.state)]
  if (task.stuck) parts.push(l10n.t('stuck'))
  if (task.verdict !== null) parts.push(verdictText(task.verdict.code))
  return {
    label: task.label,
    description: parts.join(separator),
    accessibilityLabel: l10n.t('task {0}, {1}', task.label, parts.join(', ')),
  }
}

/** The group of workers that have ended; `listed` may be fewer than `total`, the host keeps the last ones only. */
export function exitedGroupRow(listed: number, total: number): RowText {
  const label = l10n.t('Exited')
  const description = total > listed ? l10n.t('{0}, the last {1} shown', total, listed) : String(total)
  return { label, description, accessibilityLabel: l10n.t('exited workers, {0}', description) }
}

/** The row that stands for children that are not shown yet. */
export function showMoreRow(hidden: number): RowText {
  const label = l10n.t('Show more…')
  const description = l10n.t('{0} hidden', hidden)
  return { label, description, accessibilityLabel: l10n.t('show more workers, {0}', description) }
}

/** How long a task has been running: by the clock while it runs, so that a row can count between two snapshots. */
export function taskElapsedMs(task: TaskSnapshot, now: number): number {
  return task.state === 'running' && task.startedAt !== null ? Math.max(0, now - task.startedAt) : task.elapsedMs
}
