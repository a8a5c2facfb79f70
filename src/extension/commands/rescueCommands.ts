import { workspace } from 'vscode'
import * as l10n from '@vscode/l10n'
import { type RescueOptionSnapshot, rescueAction, rescueOptionsOf, type LostTaskChoice } from '../../protocol'
import { UntrustedWorkspaceError } from '../client/connection'
import type { Sessions } from '../client/sessions'
import type { CommandHandlers } from '../contributions/commands'
import type { PoolRecord } from '../model/poolStore'
import type { Choice, Prompts } from '../prompts/prompts'
import { rescueReason, rescueText } from '../text/verdicts'
import type { PoolsNode } from '../view/nodes'
import { poolIdsOf, readArguments } from './arguments'
import { poolChoices } from './choices'

/** What a rescue needs. */
export interface RescueContext {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly selection: () => readonly PoolsNode[]
}

/** Each action is checked inside the program once more, which may be busy. */
const rescueTimeoutMs = 60_000
/** More lines than this make a question that nobody reads. */
const mostLines = 10

/** *Rescue Pool…*: lets a pool that waits for ever go on. */
export function rescueCommands(context: RescueContext): Pick<CommandHandlers, 'unhang.rescuePool'> {
  return {
    'unhang.rescuePool': async (...args) => {
      if (!workspace.isTrusted) throw new UntrustedWorkspaceError()
      const pool = await choosePool(context, args)
      if (pool !== undefined) await rescue(context, pool)
    },
  }
}

async function choosePool(
  { sessions: { catalog }, prompts, selection }: RescueContext,
  args: readonly unknown[],
): Promise<PoolRecord | undefined> {
  const { rows, poolId } = readArguments(args)
  const named = new Set(poolId === undefined ? poolIdsOf(rows.length > 0 ? rows : selection()) : [poolId])
  const rescuable = catalog.rescuablePools
  // A program stands for the pools in it.
  const meant = rescuable.filter(
    ({ header }) => named.has(header.id) || (header.programId !== null && named.has(header.programId)),
  )
  const found = meant.length > 0 ? meant : rows.length > 0 || poolId !== undefined ? [] : rescuable
  const [only] = found
  if (only === undefined) {
    await prompts().notify(
      'info',
      l10n.t('There is nothing to rescue: no task is lost, no lock orphaned, no worker stopped.'),
      [],
    )
    return undefined
  }
  if (found.length === 1) return only
  return prompts().pickOne(poolChoices(found, catalog), {
    title: l10n.t('Rescue Pool'),
    placeholder: l10n.t('The pool that is to go on'),
  })
}

async function rescue({ sessions, prompts }: RescueContext, pool: PoolRecord): Promise<void> {
  const { id, name } = pool.header
  const options = await chooseOptions(prompts(), pool)
  if (options === undefined || options.length === 0) return
  const choice = await chooseForTasks(prompts(), options)
  if (choice === undefined) return
  const lines = options.map((option) => `• ${rescueText(option, choice)} (${rescueReason(option)})`)
  const confirmed = await prompts().confirm({
    message: l10n.t('Rescue {0}?', name),
    detail: [
      ...lines.slice(0, mostLines),
      ...(lines.length > mostLines ? [l10n.t('… and {0} more', lines.length - mostLines)] : []),
      '',
      l10n.t('Each is done only if its reason still holds at that moment.'),
    ].join('\n'),
    action: l10n.t('Rescue'),
  })
  if (!confirmed) return
  const session = sessions.ofPool(id)
  if (session === undefined) throw new Error(l10n.t('{0} is not there any more.', name))
  const { outcomes } = await session.request(
    'unhang/rescue',
    { poolId: id, actions: options.map((option) => rescueAction(option, choice)), askedBy: 'user' },
    { timeoutMs: rescueTimeoutMs },
  )
  const failed = outcomes.filter(({ done }) => !done)
  const said = (failed.length > 0 ? failed : outcomes)
    .slice(0, 3)
    .map(({ text }) => text)
    .join(' ')
  if (failed.length === 0) void prompts().notify('info', l10n.t('{0}: {1}', name, said), [])
  else
    void prompts().notify(
      'warning',
      l10n.t('{0}: {1} of {2} not done. {3}', name, failed.length, outcomes.length, said),
      [],
    )
}

/** One thing needs no choosing: the question names it. */
async function chooseOptions(prompts: Prompts, pool: PoolRecord): Promise<readonly RescueOptionSnapshot[] | undefined> {
  const options = rescueOptionsOf(pool.header)
  if (options.length <= 1) return options
  const choices = options.map<Choice<RescueOptionSnapshot>>((option) => ({
    label: rescueText(option, undefined),
    description: rescueReason(option),
    value: option,
  }))
  return prompts.pickMany(choices, {
    title: l10n.t('Rescue {0}', pool.header.name),
    placeholder: l10n.t('What to do'),
  })
}

/** What becomes of lost tasks; where there are none it makes no difference. */
async function chooseForTasks(
  prompts: Prompts,
  options: readonly RescueOptionSnapshot[],
): Promise<LostTaskChoice | undefined> {
  const tasks = options.filter((option) => option.kind === 'task')
  if (tasks.length === 0) return 'fail'
  const fail: Choice<LostTaskChoice> = {
    label: tasks.length === 1 ? l10n.t('Fail the task') : l10n.t('Fail the tasks'),
    detail: l10n.t('The program’s call raises WorkerLost, a multiprocessing.ProcessError'),
    value: 'fail',
  }
  const retry: Choice<LostTaskChoice> = {
    label: tasks.length === 1 ? l10n.t('Run the task again') : l10n.t('Run the tasks again'),
    detail: l10n.t('With the same arguments; what it did before it was lost is done twice'),
    value: 'retry',
  }
  const choices = tasks.every(({ retriable }) => retriable) ? [fail, retry] : [fail]
  const [first] = tasks
  const title =
    tasks.length === 1 && first !== undefined
      ? l10n.t('Lost task {0} {1}', first.task, first.label)
      : l10n.t('{0} lost tasks', tasks.length)
  return prompts.pickOne(choices, {
    title,
    placeholder:
      choices.length === 1
        ? l10n.t('It cannot run again: the arguments were not kept')
        : l10n.t('What to do with the lost task'),
  })
}
