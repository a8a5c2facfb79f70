import type { Sessions } from './client/sessions'
import type { Prompts } from './prompts/prompts'
import type { ReportDocuments } from './report/reportDocuments'
import type { PoolsStatusBar } from './view/statusBar'
import type { MachineView } from './view/machineView'
import type { PoolsView } from './view/poolsView'

/** What `activate` returns in a test window, and only there. */
export interface UnhangTestApi {
  readonly sessions: Sessions
  readonly view: PoolsView
  readonly machineView: MachineView
  readonly statusBar: PoolsStatusBar
  readonly reports: ReportDocuments
  /** From activation's first line to its last, milliseconds. */
  readonly activationMs: number
  /** Answers for VS Code's own dialogs, which test mode refuses. */
  setPrompts(prompts: Prompts): void
  liveDisposableStores(): number
  /** What deactivation does, for the test that nothing is left. */
  stop(): Promise<void>
}
