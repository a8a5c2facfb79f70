import * as l10n from '@vscode/l10n'
import type { HungHost } from '../client/connection'
import type { FolderSession } from '../client/folderSession'
import type { Sessions } from '../client/sessions'
import { restartHost } from '../commands/restartHost'
import { DisposableStore, type Disposable } from '../lifecycle'
import type { Prompts } from '../prompts/prompts'

export interface HungHostNotifierOptions {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  /** Says above the pools what is wrong; undefined when nothing is. */
  readonly show: (message: string | undefined) => void
  readonly showLog: () => void
  readonly onError: (error: unknown) => void
}

/** Tells once of every host that does not answer, and offers to restart it; nothing is ended without a yes. */
export class HungHostNotifier implements Disposable {
  readonly #options: HungHostNotifierOptions
  /** Processes that were told of, by pid and start time. */
  readonly #told = new Set<string>()
  readonly #owned = new DisposableStore()

  constructor(options: HungHostNotifierOptions) {
    this.#options = options
    this.#owned.add(
      options.sessions.onDidChangeHung((session) => {
        const { hung } = session
        this.#draw()
        if (hung === undefined || this.#told.has(keyOf(hung))) return
        this.#told.add(keyOf(hung))
        this.#tell(session, hung).catch(options.onError)
      }),
    )
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #draw(): void {
    const [first] = this.#options.sessions.all.flatMap(({ folder, hung }) =>
      hung === undefined ? [] : [hungHostMessage(folder.name, hung)],
    )
    this.#options.show(first)
  }

  async #tell(session: FolderSession, hung: HungHost): Promise<void> {
    const { prompts, showLog, sessions } = this.#options
    const restart = l10n.t('Restart Host')
    const log = l10n.t('Show Log')
    const answer = await prompts().notify('warning', hungHostMessage(session.folder.name, hung), [restart, log])
    if (answer === log) showLog()
    // It may be answered much later: a host that has come to itself meanwhile is not ended for it.
    else if (answer === restart && session.hung !== undefined) await restartHost(session, { sessions, prompts })
  }
}

/** What is said of a host that does not answer. */
export function hungHostMessage(folder: string, { pid, state }: HungHost): string {
  return state === 'stopped'
    ? l10n.t(
        'The host of {0} (pid {1}) is stopped and does not answer: its pools cannot be seen or ended.',
        folder,
        pid,
      )
    : l10n.t('The host of {0} (pid {1}) does not answer: its pools cannot be seen or ended.', folder, pid)
}

function keyOf({ pid, startTime }: HungHost): string {
  return `${pid} ${startTime}`
}
