import { Uri, window } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { Sessions } from '../client/sessions'
import type { CommandHandlers } from '../contributions/commands'
import type { Choice, Prompts } from '../prompts/prompts'
import { stackScheme, type StackDocuments } from '../stacks/stackDocuments'
import type { PoolsNode } from '../view/nodes'
import { poolIdsOf, readArguments, workersOf } from './arguments'
import { poolChoices, workerChoices } from './choices'

/** What the stack commands need. */
export interface StackContext {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly stacks: StackDocuments
  readonly selection: () => readonly PoolsNode[]
}

interface StackSubject {
  readonly poolId: string
  readonly pid: number
  readonly name: string
}

/** *Show Stack* of a worker or a program, and taking it again. */
export function stackCommands(
  context: StackContext,
): Pick<CommandHandlers, 'unhang.showStack' | 'unhang.refreshStack'> {
  const { sessions, stacks } = context
  return {
    'unhang.showStack': async (...args) => {
      const subject = await chooseSubject(context, args)
      const session = subject && sessions.ofPool(subject.poolId)
      if (subject !== undefined && session !== undefined) await stacks.show(session, subject.pid, subject.name)
    },
    'unhang.refreshStack': async (uri) => {
      const document = uri instanceof Uri ? uri : window.activeTextEditor?.document.uri
      if (document?.scheme === stackScheme) await stacks.refresh(document)
    },
  }
}

async function chooseSubject(
  { sessions: { catalog }, prompts, selection }: StackContext,
  args: readonly unknown[],
): Promise<StackSubject | undefined> {
  const { rows } = readArguments(args)
  const meant = rows.length > 0 ? rows : selection()
  const [worker] = workersOf(meant).flatMap(({ poolId, name }) => {
    const found = catalog.worker(poolId, name)
    return found === undefined || found.status === 'exited' || found.pid <= 0 ? [] : [{ poolId, pid: found.pid, name }]
  })
  if (worker !== undefined) return worker
  const named = new Set(poolIdsOf(meant.filter((row) => row.kind === 'pool')))
  const programs = catalog.livePools.flatMap(
    (pool): (StackSubject & { readonly choice: Choice<unknown> | undefined })[] => {
      const { id, name, program } = pool.header
      return program?.pid == null
        ? []
        : [{ poolId: id, pid: program.pid, name, choice: poolChoices([pool], catalog)[0] }]
    },
  )
  const program = programs.find(({ poolId }) => named.has(poolId))
  if (program !== undefined) return program
  const choices: Choice<StackSubject>[] = [
    ...programs.map(({ choice, ...subject }) => ({ label: subject.name, ...choice, value: subject })),
    ...workerChoices(catalog.liveWorkers.filter(({ worker: { pid } }) => pid > 0)).map((choice) => ({
      ...choice,
      value: { poolId: choice.value.pool.header.id, pid: choice.value.worker.pid, name: choice.value.worker.name },
    })),
  ]
  if (choices.length === 0 || rows.length > 0) {
    await prompts().notify(
      'info',
      rows.length > 0 ? l10n.t('That process has ended.') : l10n.t('No worker is running.'),
      [],
    )
    return undefined
  }
  return prompts().pickOne(choices, {
    title: l10n.t('Show Stack'),
    placeholder: l10n.t('The process whose stacks to show'),
  })
}
