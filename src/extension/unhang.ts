import { tasks, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode'
import * as l10n from '@vscode/l10n'
import { Sessions, type FolderShutdown } from './client/sessions'
import { HostFinder } from './client/hostFinder'
import { endingCommands } from './commands/endingCommands'
import { launchCommands } from './commands/launchCommands'
import { programCommands } from './commands/programCommands'
import { errorReporter, registerCommands, type ReportError } from './commands/registerCommands'
import { rescueCommands } from './commands/rescueCommands'
import { ShutdownService } from './commands/shutdownService'
import { stackCommands } from './commands/stackCommands'
import { taskCommands } from './commands/taskCommands'
import { viewCommands } from './commands/viewCommands'
import { ContextKeys } from './contributions/contextKeys'
import { onSettingsChange, readSetting } from './contributions/settings'
import { DisposableStore, liveDisposableStores } from './lifecycle'
import { HungHostNotifier } from './notify/hungHostNotifier'
import { IssueNotifier } from './notify/issueNotifier'
import { OrphanNotifier } from './notify/orphanNotifier'
import { StuckNotifier } from './notify/stuckNotifier'
import { VerdictNotifier } from './notify/verdictNotifier'
import type { Prompts } from './prompts/prompts'
import { windowPrompts } from './prompts/windowPrompts'
import { ReportDocuments } from './report/reportDocuments'
import { StackDocuments } from './stacks/stackDocuments'
import { LaunchedPools } from './tasks/launchedPools'
import { PoolTaskProvider, poolTaskType, type OpenPoolTerminal } from './tasks/poolTaskProvider'
import { poolTerminals } from './tasks/poolTerminals'
import { WindowLifetime } from './tasks/windowLifetime'
import type { UnhangTestApi } from './testApi'
import { MachineView } from './view/machineView'
import type { PoolsNode } from './view/nodes'
import { PoolsView } from './view/poolsView'
import { RowDecorations } from './view/rowDecorations'
import { PoolsStatusBar } from './view/statusBar'

/** `deactivate` is given about five seconds by VS Code; what takes longer goes on in the host by itself. */
const lastShutdownTimeoutMs = 4_000

/** The extension as one object: makes the parts, connects them, and ends them. */
export class Unhang {
  readonly #log: LogOutputChannel
  readonly #owned = new DisposableStore()
  readonly #contextKeys = new ContextKeys()
  readonly #sessions: Sessions
  readonly #lifetime: WindowLifetime
  readonly #launched: LaunchedPools
  readonly #view: PoolsView
  readonly #machineView: MachineView
  readonly #statusBar: PoolsStatusBar
  readonly #reports: ReportDocuments
  readonly #stacks: StackDocuments
  readonly #shutdown: ShutdownService
  readonly #finder: HostFinder
  readonly #report: ReportError
  readonly #startedAt = performance.now()
  #activationMs = 0
  #prompts: Prompts = windowPrompts

  constructor(context: ExtensionContext, log: LogOutputChannel) {
    this.#log = log
    const prompts = (): Prompts => this.#prompts
    this.#report = errorReporter(prompts, log)
    this.#sessions = this.#owned.add(new Sessions(context, log))
    this.#lifetime = this.#owned.add(new WindowLifetime())
    this.#launched = new LaunchedPools(context.workspaceState)
    this.#shutdown = new ShutdownService(this.#sessions, prompts)
    this.#view = this.#owned.add(new PoolsView(this.#sessions.catalog))
    this.#machineView = this.#owned.add(new MachineView(this.#sessions.catalog))
    this.#statusBar = this.#owned.add(new PoolsStatusBar(this.#sessions.catalog))
    this.#reports = this.#owned.add(new ReportDocuments(this.#sessions))
    this.#stacks = this.#owned.add(new StackDocuments(this.#sessions))
    this.#finder = this.#owned.add(new HostFinder(this.#sessions, log))
    this.#owned.add(window.registerFileDecorationProvider(new RowDecorations()))
    const open = this.#poolTerminals()
    this.#registerCommands(prompts, open)
    this.#owned.add(tasks.registerTaskProvider(poolTaskType, new PoolTaskProvider(open)))
    this.#registerNotifiers(prompts)
    this.#watchWhileLookedAt()
    this.#owned.add(this.#contextKeys)
    this.#owned.add(
      this.#sessions.onDidChangeState(() => {
        this.#updateContext()
      }),
    )
    this.#owned.add(
      this.#sessions.onDidChangeHung(() => {
        this.#updateContext()
      }),
    )
    this.#owned.add(
      this.#sessions.catalog.onDidChange(() => {
        this.#updateContext()
      }),
    )
  }

  /** Looks for a host that runs already, after activation has returned. */
  start(): void {
    this.#updateContext()
    this.#finder.start()
    this.#activationMs = performance.now() - this.#startedAt
    this.#log.info(`Activated in ${this.#activationMs.toFixed(1)} ms.`)
  }

  async stop(): Promise<void> {
    this.#log.info('The window goes away.')
    this.#lifetime.leave()
    if (readSetting('onWindowClose') === 'terminate') await this.#terminateOwnPools()
    await this.#sessions.close()
    this.#owned.dispose()
  }

  testApi(): UnhangTestApi {
    return {
      sessions: this.#sessions,
      view: this.#view,
      machineView: this.#machineView,
      statusBar: this.#statusBar,
      reports: this.#reports,
      activationMs: this.#activationMs,
      setPrompts: (prompts) => {
        this.#prompts = prompts
      },
      liveDisposableStores,
      stop: () => this.stop(),
    }
  }

  #registerCommands(prompts: () => Prompts, open: OpenPoolTerminal): void {
    const { catalog } = this.#sessions
    // Only what can be seen counts as selected: the palette must not end what a hidden view remembers.
    const selection = (): readonly PoolsNode[] => (this.#view.visible ? this.#view.selection : [])
    this.#owned.add(
      registerCommands(
        {
          ...launchCommands(prompts),
          ...programCommands({
            sessions: this.#sessions,
            prompts,
            view: this.#view,
            open,
            onError: (error) => {
              this.#report(l10n.t('Attach to Running Process'), error)
            },
          }),
          ...rescueCommands({ sessions: this.#sessions, prompts, selection }),
          ...stackCommands({ sessions: this.#sessions, prompts, stacks: this.#stacks, selection }),
          ...endingCommands({
            catalog,
            shutdown: this.#shutdown,
            prompts,
            selection,
            folderOf: (poolId) => this.#sessions.ofPool(poolId)?.folder.uri,
          }),
          ...taskCommands({ sessions: this.#sessions, prompts, selection }),
          ...viewCommands({
            sessions: this.#sessions,
            prompts,
            view: this.#view,
            reports: this.#reports,
            log: this.#log,
            selection,
          }),
        },
        this.#report,
      ),
    )
  }

  #poolTerminals(): OpenPoolTerminal {
    return poolTerminals({
      sessions: this.#sessions,
      onLaunched: (poolId) => {
        this.#launched.add(poolId)
      },
      onError: (error) => {
        this.#report(l10n.t('Terminate Pool'), error)
      },
      leavesPoolRunning: async () => {
        const withWindow = await this.#lifetime.closesWithWindow()
        const leaves = withWindow && readSetting('onWindowClose') === 'keep'
        this.#log.info(
          `The terminal of a pool was closed${withWindow ? ' with its window' : ''}: the pool ` +
            `${leaves ? 'goes on' : 'is terminated'}.`,
        )
        return leaves
      },
    })
  }

  #registerNotifiers(prompts: () => Prompts): void {
    const onError = (error: unknown): void => {
      this.#report('notification', error)
    }
    this.#owned.add(
      new StuckNotifier({ sessions: this.#sessions, prompts, shutdown: this.#shutdown, view: this.#view, onError }),
    )
    this.#owned.add(
      new VerdictNotifier({ sessions: this.#sessions, prompts, shutdown: this.#shutdown, view: this.#view, onError }),
    )
    this.#owned.add(
      new OrphanNotifier({
        catalog: this.#sessions.catalog,
        prompts,
        shutdown: this.#shutdown,
        view: this.#view,
        onError,
      }),
    )
    this.#owned.add(
      new HungHostNotifier({
        sessions: this.#sessions,
        prompts,
        onError,
        show: (message) => {
          this.#view.showMessage(message)
        },
        showLog: () => {
          this.#log.show()
        },
      }),
    )
    this.#owned.add(
      new IssueNotifier({
        sessions: this.#sessions,
        prompts,
        log: this.#log,
        onError,
        showReport: ({ subject }) => this.#reports.show(subject.id, subject.name),
        killSurvivors: (shutdowns) => this.#killSurvivors(shutdowns),
      }),
    )
    this.#owned.add(
      this.#sessions.onDidGiveUp(({ session, error }) => {
        // That one is told with a way out: see HungHostNotifier.
        if (session.hung === undefined) this.#report(l10n.t('Host of {0}', session.folder.name), error)
      }),
    )
  }

  #watchWhileLookedAt(): void {
    const update = (): void => {
      const watch = {
        workers: this.#view.visible,
        machine: this.#machineView.visible,
        intervalMs: readSetting('sampleIntervalMs'),
      }
      for (const session of this.#sessions.all) session.setWatch(watch)
      if (watch.workers || watch.machine) this.#finder.look()
    }
    this.#owned.add(this.#view.onDidChangeVisibility(update))
    this.#owned.add(this.#machineView.onDidChangeVisibility(update))
    this.#owned.add(this.#sessions.onDidAddSession(update))
    this.#owned.add(onSettingsChange(['sampleIntervalMs'], update))
    this.#owned.add(workspace.onDidGrantWorkspaceTrust(update))
    update()
  }

  #updateContext(): void {
    const { catalog } = this.#sessions
    this.#contextKeys.set(
      'unhang.hostState',
      this.#sessions.all.some(({ hung }) => hung !== undefined) ? 'hung' : this.#sessions.state,
    )
    this.#contextKeys.set('unhang.hasLivePools', catalog.livePools.length > 0)
    this.#contextKeys.set('unhang.hasEndedPools', catalog.endedPools.length > 0)
    this.#contextKeys.set('unhang.hasStuck', catalog.stuckWorkers.length > 0)
    this.#contextKeys.set('unhang.hasRescuable', catalog.rescuablePools.length > 0)
  }

  async #killSurvivors(shutdowns: readonly FolderShutdown[]): Promise<void> {
    const pids = new Set(
      shutdowns.flatMap(({ done }) =>
        done.report.workers.filter((worker) => worker.outcome === 'alive').map((worker) => worker.pid),
      ),
    )
    const subjects = new Set(shutdowns.map(({ done }) => done.report.subject.id))
    const { catalog } = this.#sessions
    const pools = catalog.livePools.filter((pool) => subjects.has(pool.header.id))
    const poolIds = new Set(pools.map((pool) => pool.header.id))
    const workers = catalog.liveWorkers.filter(
      ({ pool, worker }) => pids.has(worker.pid) && !poolIds.has(pool.header.id),
    )
    if (pools.length > 0) await this.#shutdown.endPools(pools, 'kill')
    if (workers.length > 0) await this.#shutdown.endWorkers(workers, 'kill')
  }

  async #terminateOwnPools(): Promise<void> {
    await Promise.allSettled(
      this.#sessions.all.map(async (session) => {
        const targets = session.store.pools
          .filter(({ header }) => header.state !== 'ended' && this.#launched.has(header.id))
          .map(({ header }) => ({ kind: 'pool', poolId: header.id }) as const)
        if (targets.length === 0) return undefined
        return session.requestIfConnected(
          'unhang/shutdown',
          { targets, mode: 'terminate', askedBy: 'deactivate', reason: 'the window closed' },
          { timeoutMs: lastShutdownTimeoutMs },
        )
      }),
    )
  }
}
