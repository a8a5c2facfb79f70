import * as l10n from '@vscode/l10n'
import type { TaskSnapshot, TaskFailures } from '../../protocol'
import { formatSeconds } from '../../words'
import type { Sessions } from '../client/sessions'
import type { CommandHandlers } from '../contributions/commands'
import type { PoolRecord } from '../model/poolStore'
import type { Choice, Prompts } from '../prompts/prompts'
import { taskElapsedMs, taskRow } from '../text/rows'
import type { PoolsNode } from '../view/nodes'
import { readArguments, workersOf } from './arguments'

/** What the task commands need. */
export interface TaskCommandContext {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly selection: () => readonly PoolsNode[]
}

interface TaskAddress {
  readonly poolId: string
  readonly taskId: string
}

/** Failures offered in the picker, per pool; older ones are in the report. */
const mostFailures = 200

/** Commands on single tasks. */
export function taskCommands(
  context: TaskCommandContext,
): Pick<CommandHandlers, 'unhang.cancelTask' | 'unhang.retryTask'> {
  return {
    'unhang.cancelTask': (...args) =>
      onTasks(context, args, 'unhang/cancelTask', isRunning, () => pickRunning(context)),
    'unhang.retryTask': (...args) => onTasks(context, args, 'unhang/retryTask', isOver, () => pickFailed(context)),
  }
}

async function onTasks(
  { sessions, selection }: TaskCommandContext,
  args: readonly unknown[],
  method: 'unhang/cancelTask' | 'unhang/retryTask',
  fits: (task: TaskSnapshot) => boolean,
  pick: () => Promise<TaskAddress | undefined>,
): Promise<void> {
  const { rows } = readArguments(args)
  const meant = workersOf(rows.length > 0 ? rows : selection()).flatMap<TaskAddress>(({ poolId, name }) => {
    const task = sessions.catalog.worker(poolId, name)?.task
    return task && fits(task) ? [{ poolId, taskId: task.id }] : []
  })
  const picked = meant.length === 0 && rows.length === 0 ? await pick() : undefined
  const tasks = picked === undefined ? meant : [picked]
  await Promise.all(
    tasks.map(async ({ poolId, taskId }) => sessions.ofPool(poolId)?.request(method, { poolId, taskId })),
  )
}

function isRunning(task: TaskSnapshot): boolean {
  return task.state === 'running' || task.state === 'queued'
}

function isOver(task: TaskSnapshot): boolean {
  return !isRunning(task) && task.state !== 'done'
}

async function pickRunning({ sessions, prompts }: TaskCommandContext): Promise<TaskAddress | undefined> {
  const now = Date.now()
  const choices = sessions.catalog.liveWorkers.flatMap<Choice<TaskAddress>>(({ pool, worker }) => {
    const { task } = worker
    if (task === null || !isRunning(task)) return []
    const { label, description } = taskRow(task, now)
    return [
      {
        label,
        description,
        detail:
          `${pool.header.name} · ${worker.name} · ${l10n.t('pid {0}', worker.pid)} · ` +
          formatSeconds(taskElapsedMs(task, now)),
        value: { poolId: pool.header.id, taskId: task.id },
      },
    ]
  })
  if (choices.length === 0) {
    await prompts().notify('info', l10n.t('No task is running.'), [])
    return undefined
  }
  return prompts().pickOne(choices, {
    title: l10n.t('Cancel Task'),
    placeholder: l10n.t('The task to cancel; its worker is ended and replaced'),
  })
}

async function pickFailed({ sessions, prompts }: TaskCommandContext): Promise<TaskAddress | undefined> {
  const pools = sessions.catalog.livePools.filter(({ header }) => !header.orphaned)
  const choices = (await Promise.all(pools.map((pool) => failureChoices(sessions, pool)))).flat()
  if (choices.length === 0) {
    await prompts().notify('info', l10n.t('No task of a running pool has failed.'), [])
    return undefined
  }
  return prompts().pickOne(choices, { title: l10n.t('Retry Task'), placeholder: l10n.t('The task to run once more') })
}

async function failureChoices(sessions: Sessions, pool: PoolRecord): Promise<Choice<TaskAddress>[]> {
  const { id, name } = pool.header
  const answer: TaskFailures | undefined = await sessions
    .ofPool(id)
    ?.request('unhang/failures', { poolId: id, limit: mostFailures })
  return (answer?.failures ?? []).map((failure) => ({
    label: failure.label,
    description: failure.state,
    detail: `${name} · ${failure.message}`,
    value: { poolId: id, taskId: failure.taskId },
  }))
}
