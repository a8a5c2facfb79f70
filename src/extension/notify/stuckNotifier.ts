import * as l10n from '@vscode/l10n'
import type { Sessions } from '../client/sessions'
import type { ShutdownMode, ShutdownService } from '../commands/shutdownService'
import { readSetting, writeUserSetting } from '../contributions/settings'
import type { Disposable } from '../lifecycle'
import type { PlacedWorker } from '../model/poolCatalog'
import type { Prompts } from '../prompts/prompts'
import type { PoolsView } from '../view/poolsView'
import { announceNews } from './announceNews'
import { stuckMessage } from './stuckMessage'
import { stuckTaskMemory, stuckTasks, type StuckTask } from './stuckTasks'

export interface StuckNotifierOptions {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly shutdown: ShutdownService
  readonly view: PoolsView
  readonly onError: (error: unknown) => void
}

/** Tells when a task gets stuck, once, and offers to end it. */
export class StuckNotifier implements Disposable {
  readonly #options: StuckNotifierOptions
  readonly #news: Disposable

  constructor(options: StuckNotifierOptions) {
    this.#options = options
    this.#news = announceNews({
      catalog: options.sessions.catalog,
      memory: stuckTaskMemory(),
      find: ({ stuckWorkers }) => stuckTasks(stuckWorkers),
      announce: (tasks) => this.#announce(tasks),
      onError: options.onError,
    })
  }

  dispose(): void {
    this.#news.dispose()
  }

  async #announce(tasks: readonly StuckTask[]): Promise<void> {
    const still = tasks.flatMap(({ placed, taskId }) => this.#stillStuck(placed, taskId))
    if (still.length === 0 || !readSetting('notifyOnStuck')) return
    const show = l10n.t('Show')
    const terminate = l10n.t('Terminate')
    const kill = l10n.t('Kill')
    const never = l10n.t('Don’t Show Again')
    const answer = await this.#options.prompts().notify('warning', stuckMessage(still), [show, terminate, kill, never])
    if (answer === show) await this.#show(still)
    else if (answer === terminate) await this.#end(tasks, 'terminate')
    else if (answer === kill) await this.#end(tasks, 'kill')
    else if (answer === never) await writeUserSetting('notifyOnStuck', false)
  }

  #stillStuck({ pool, worker }: PlacedWorker, taskId: string): PlacedWorker[] {
    return this.#options.sessions.catalog.stuckWorkers.filter(
      (now) =>
        now.pool.header.id === pool.header.id && now.worker.name === worker.name && now.worker.task?.id === taskId,
    )
  }

  async #show([first]: readonly PlacedWorker[]): Promise<void> {
    if (first !== undefined)
      await this.#options.view.reveal({ kind: 'worker', poolId: first.pool.header.id, name: first.worker.name })
  }

  /** Only workers that are still in the task that was announced: a notification may be answered much later. */
  async #end(tasks: readonly StuckTask[], mode: ShutdownMode): Promise<void> {
    const workers = tasks.flatMap(({ placed, taskId }) => this.#stillStuck(placed, taskId))
    if (workers.length > 0) await this.#options.shutdown.endWorkers(workers, mode)
  }
}
