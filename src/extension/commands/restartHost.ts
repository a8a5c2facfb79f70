import * as l10n from '@vscode/l10n'
import type { HungHost } from '../client/connection'
import type { FolderSession } from '../client/folderSession'
import type { Sessions } from '../client/sessions'
import type { Prompts } from '../prompts/prompts'

/** Its pools may be many, and each has its grace period. */
const stopTimeoutMs = 60_000

/** What restarting a host needs. */
export interface RestartContext {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
}

/** *Restart Host* from the palette or the empty view: the hosts that do not answer, else the one that is picked. */
export async function restartHosts(context: RestartContext): Promise<void> {
  const { all } = context.sessions
  const hung = all.filter((session) => session.hung !== undefined)
  const meant = hung.length > 0 ? hung : await pickSession(all, context)
  for (const session of meant) await restartHost(session, context)
}

/**
 * Ends the host of a folder after asking, and starts a new one. One that answers ends its pools first; one that does
 * not is ended by SIGKILL, and nothing else is.
 */
export async function restartHost(session: FolderSession, context: RestartContext): Promise<void> {
  const hung = await session.findHung()
  if (!(await context.prompts().confirm(confirmation(session.folder.name, hung)))) return
  if (hung === undefined) await session.request('unhang/stopHost', {}, { timeoutMs: stopTimeoutMs })
  else await endHung(session, hung)
  session.disconnect()
  await session.connect('start')
}

async function endHung(session: FolderSession, hung: HungHost): Promise<void> {
  const outcome = await session.endHung(hung)
  switch (outcome) {
    case 'killed':
    case 'gone':
      return
    case 'other':
      throw new Error(
        l10n.t(
          'Process {0} is not the host of {1} any more, so nothing was sent to it.',
          hung.pid,
          session.folder.name,
        ),
      )
    case 'denied':
      throw new Error(l10n.t('No permission to end process {0}, the host of {1}.', hung.pid, session.folder.name))
    case 'unkillable':
      throw new Error(
        l10n.t(
          'SIGKILL was sent to process {0}, the host of {1}. It ends once its disk or network folder answers.',
          hung.pid,
          session.folder.name,
        ),
      )
  }
}

function confirmation(folder: string, hung: HungHost | undefined): { message: string; detail: string; action: string } {
  const message = l10n.t('Restart the host of {0}?', folder)
  const action = l10n.t('Restart Host')
  if (hung === undefined)
    return {
      message,
      action,
      detail: l10n.t('Its pools are terminated first. Programs in terminals keep running, unobserved.'),
    }
  const state =
    hung.state === 'stopped'
      ? l10n.t('Process {0} is stopped.', hung.pid)
      : l10n.t('Process {0} does not answer.', hung.pid)
  return {
    message,
    action,
    detail: l10n.t(
      '{0} SIGKILL ends it and its pools. Programs in terminals keep running; the new host lists survivors.',
      state,
    ),
  }
}

async function pickSession(all: readonly FolderSession[], { prompts }: RestartContext): Promise<FolderSession[]> {
  if (all.length < 2) return [...all]
  const picked = await prompts().pickOne(
    all.map((session) => ({ label: session.folder.name, value: session })),
    {
      title: l10n.t('Restart Host'),
      placeholder: l10n.t('The folder whose host to restart'),
    },
  )
  return picked === undefined ? [] : [picked]
}
