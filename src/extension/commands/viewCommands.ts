import { env, type LogOutputChannel } from 'vscode'
import * as l10n from '@vscode/l10n'
import { formatSeconds } from '../../words'
import type { Sessions } from '../client/sessions'
import type { CommandHandlers } from '../contributions/commands'
import type { Choice, Prompts } from '../prompts/prompts'
import type { ReportDocuments } from '../report/reportDocuments'
import { poolIdOfSubject } from '../report/subjects'
import type { PoolsNode } from '../view/nodes'
import type { PoolsView } from '../view/poolsView'
import { poolIdsOf, readArguments, workersOf } from './arguments'
import { poolChoices, workerChoices } from './choices'
import { restartHosts } from './restartHost'

/** What the commands that only show or tidy up need. */
export interface ViewCommandContext {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly view: PoolsView
  readonly reports: ReportDocuments
  readonly log: LogOutputChannel
  readonly selection: () => readonly PoolsNode[]
}

type ViewCommand =
  | 'unhang.removePool'
  | 'unhang.showReport'
  | 'unhang.copyPid'
  | 'unhang.showLog'
  | 'unhang.connectHost'
  | 'unhang.restartHost'
  | 'unhang.showMore'

/** Commands that end no pool by themselves. */
export function viewCommands(context: ViewCommandContext): Pick<CommandHandlers, ViewCommand> {
  const { sessions, view, log } = context
  return {
    'unhang.removePool': (...args) => removePools(context, args),
    'unhang.showReport': (...args) => showReport(context, args),
    'unhang.copyPid': (...args) => copyPid(context, args),
    'unhang.showLog': () => {
      log.show()
    },
    'unhang.connectHost': async () => {
      await Promise.all(sessions.all.map((session) => session.connect('start')))
    },
    'unhang.restartHost': () => restartHosts(context),
    'unhang.showMore': (node) => {
      const row = node as PoolsNode | undefined
      if (row?.kind === 'more') view.showMore(row)
    },
  }
}

async function removePools({ sessions, prompts }: ViewCommandContext, args: readonly unknown[]): Promise<void> {
  const ended = sessions.catalog.endedPools
  const ids = new Set(poolIdsOf(readArguments(args).rows))
  const meant = ended.filter(({ header }) => ids.has(header.id))
  // From the palette or the view's title every ended pool goes: nothing is lost but the rows.
  const pools = ids.size > 0 ? meant : ended
  if (pools.length === 0) {
    await prompts().notify('info', l10n.t('No pool has ended.'), [])
    return
  }
  // A program takes the pools in it along.
  const alone = pools.filter(({ header: { programId } }) => !pools.some(({ header }) => header.id === programId))
  await Promise.all(
    alone.map(async ({ header }) => sessions.ofPool(header.id)?.request('unhang/removePool', { poolId: header.id })),
  )
}

async function showReport(
  { sessions, prompts, reports, selection }: ViewCommandContext,
  args: readonly unknown[],
): Promise<void> {
  const { rows, poolId } = readArguments(args)
  const [id] = poolId === undefined ? poolIdsOf(rows.length > 0 ? rows : selection()) : [poolId]
  const named = id === undefined ? undefined : sessions.catalog.pool(id)
  if (named !== undefined) {
    await reports.show(named.header.id, named.header.name)
    return
  }
  const { pools } = sessions.catalog
  const known = new Set(pools.map(({ header }) => header.id))
  const choices: Choice<{ id: string; name: string }>[] = [
    ...poolChoices(pools, sessions.catalog).map((choice) => ({
      ...choice,
      value: { id: choice.value.header.id, name: choice.value.header.name },
    })),
    ...[...reports.shutdowns]
      .reverse()
      .filter(({ report }) => !known.has(poolIdOfSubject(report.subject.id)))
      .map(({ report }) => ({
        label: report.subject.name,
        description: l10n.t('shutdown {0} ago', formatSeconds(Date.now() - report.startedAt)),
        detail: poolIdOfSubject(report.subject.id),
        value: report.subject,
      })),
  ]
  if (choices.length === 0) {
    await prompts().notify('info', l10n.t('There is no pool to report on yet.'), [])
    return
  }
  const [only] = choices
  const subject =
    choices.length === 1
      ? only?.value
      : await prompts().pickOne(choices, { title: l10n.t('Show Report'), placeholder: l10n.t('The pool to report on') })
  if (subject !== undefined) await reports.show(subject.id, subject.name)
}

async function copyPid({ sessions, prompts, selection }: ViewCommandContext, args: readonly unknown[]): Promise<void> {
  const { rows } = readArguments(args)
  const meant = rows.length > 0 ? rows : selection()
  const poolIds = new Set(meant.filter((row) => row.kind === 'pool').map((row) => row.poolId))
  const names = new Set(workersOf(meant).map(({ poolId, name }) => `${poolId}/${name}`))
  const { liveWorkers, pools } = sessions.catalog
  let pids = [
    ...liveWorkers.filter(({ pool }) => poolIds.has(pool.header.id)),
    ...pools.flatMap((pool) =>
      [...pool.workers.values()]
        .filter((worker) => names.has(`${pool.header.id}/${worker.name}`))
        .map((worker) => ({ pool, worker })),
    ),
  ].map(({ worker }) => worker.pid)
  if (pids.length === 0) {
    if (liveWorkers.length === 0) {
      await prompts().notify('info', l10n.t('No worker is running.'), [])
      return
    }
    const picked = await prompts().pickOne(workerChoices(liveWorkers), {
      title: l10n.t('Copy Pid'),
      placeholder: l10n.t('The worker whose process id to copy'),
    })
    pids = picked === undefined ? [] : [picked.worker.pid]
  }
  if (pids.length > 0) await env.clipboard.writeText([...new Set(pids)].join(' '))
}
