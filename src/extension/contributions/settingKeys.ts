/** Every setting under `unhang.`, with the default that package.json declares; a unit test keeps the two equal. */
export interface Settings {
  /** A running task is looked at for a verdict after this long, milliseconds. */
  readonly stuckAfterMs: number
  /** Upper bound of each shutdown pass, milliseconds. */
  readonly gracePeriodMs: number
  /** Let Terminate escalate to SIGKILL. */
  readonly useSigkill: boolean
  /** How often CPU and memory are measured while a view is looked at, milliseconds. */
  readonly sampleIntervalMs: number
  /** Show a notification when a task gets stuck. */
  readonly notifyOnStuck: boolean
  /** What happens to this window's pools when it closes or reloads. */
  readonly onWindowClose: 'keep' | 'terminate'
  /** Node executable of the host and of module workers; empty for the one VS Code runs on. */
  readonly nodePath: string
  /** Python interpreter of `python` pools; empty for that of the workspace's virtual environment, else of PATH. */
  readonly pythonPath: string
  /** Show and keep the arguments of a watched program's tasks. */
  readonly recordArguments: boolean
  /**
   * The signal that makes watched Pythons write their stacks, 0 for none; null for one that the program has left free.
   */
  readonly stackSignal: number | null
}
export type SettingKey = keyof Settings

export const settingDefaults: Settings = {
  stuckAfterMs: 30_000,
  gracePeriodMs: 100,
  useSigkill: false,
  sampleIntervalMs: 1_000,
  notifyOnStuck: true,
  onWindowClose: 'keep',
  nodePath: '',
  pythonPath: '',
  recordArguments: true,
  stackSignal: null,
}
