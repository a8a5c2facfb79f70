import type { LogOutputChannel } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { ShutdownReportWire } from '../../protocol'
import type { FolderShutdown, Sessions } from '../client/sessions'
import { DisposableStore, type Disposable } from '../lifecycle'
import type { Prompts } from '../prompts/prompts'
import { poolIdOfSubject } from '../report/subjects'
import { Burst } from './burst'
import { issuesMessage } from './issuesMessage'
import { shutdownLogLine } from './shutdownLogLine'

/** Ending five pools gives five reports within a moment; they are one piece of news. */
const burstMs = 300

export interface IssueNotifierOptions {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly log: LogOutputChannel
  readonly showReport: (report: ShutdownReportWire) => Promise<void>
  readonly killSurvivors: (reports: readonly FolderShutdown[]) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Shows what a shutdown could not end, whoever asked for it, and keeps every shutdown in the log. */
export class IssueNotifier implements Disposable {
  readonly #options: IssueNotifierOptions
  readonly #owned = new DisposableStore()

  constructor(options: IssueNotifierOptions) {
    this.#options = options
    const burst = this.#owned.add(
      new Burst<FolderShutdown>(burstMs, (shutdowns) => {
        this.#announce(shutdowns).catch(options.onError)
      }),
    )
    this.#owned.add(
      options.sessions.onDidShutdown((shutdown) => {
        this.#log(shutdown)
        if (shutdown.done.report.issues.length > 0) burst.add(shutdown)
      }),
    )
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #log({ done }: FolderShutdown): void {
    const { log } = this.#options
    log.info(shutdownLogLine(done, this.#poolName(poolIdOfSubject(done.report.subject.id))))
    for (const issue of done.report.issues) log.warn(issue)
  }

  #poolName(poolId: string): string | undefined {
    return this.#options.sessions.catalog.pool(poolId)?.header.name
  }

  async #announce(shutdowns: readonly FolderShutdown[]): Promise<void> {
    const [last] = shutdowns.slice(-1)
    if (last === undefined) return
    const kill = l10n.t('Kill (SIGKILL)')
    const showReport = l10n.t('Show Report')
    const showLog = l10n.t('Show Log')
    // What SIGKILL did not end, SIGKILL will not end.
    const killable = shutdowns.filter(({ done }) =>
      done.report.workers.some(
        (worker) => worker.outcome === 'alive' && !worker.sent.some(({ signal }) => signal === 'SIGKILL'),
      ),
    )
    const actions = killable.length > 0 ? [kill, showReport, showLog] : [showReport, showLog]
    const answer = await this.#options.prompts().notify(
      'warning',
      issuesMessage(
        shutdowns.map(({ done }) => done.report),
        (poolId) => this.#poolName(poolId),
      ),
      actions,
    )
    if (answer === kill) await this.#options.killSurvivors(killable)
    else if (answer === showReport) await this.#options.showReport(last.done.report)
    else if (answer === showLog) this.#options.log.show()
  }
}
