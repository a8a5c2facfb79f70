import { workspace } from 'vscode'
import { HostUnavailableError, UntrustedWorkspaceError } from '../client/connection'
import type { Sessions } from '../client/sessions'
import { readSetting } from '../contributions/settings'
import { launchParams } from './launchParams'
import type { OpenPoolTerminal } from './poolTaskProvider'
import { PoolTerminal } from './poolTerminal'
import { rawTask } from './rawTask'

export interface PoolTerminalsOptions {
  readonly sessions: Sessions
  readonly onLaunched: (poolId: string) => void
  readonly leavesPoolRunning: () => Promise<boolean>
  /** Told what nobody is left to be told by the terminal. */
  readonly onError: (error: unknown) => void
}

/**
 * A shutdown by closing the terminal, or by Ctrl+C in it, has nobody who waits for it; this only ends the wait for a
 * host that hangs.
 */
const terminateTimeoutMs = 10 * 60_000

/** Opens a terminal for each pool task that runs. */
export function poolTerminals({
  sessions,
  onLaunched,
  leavesPoolRunning,
  onError,
}: PoolTerminalsOptions): OpenPoolTerminal {
  return ({ label, definition, folder, isInTasksFile }) => {
    if (!workspace.isTrusted) throw new UntrustedWorkspaceError()
    const session = sessions.of(folder?.uri)
    if (session === undefined) throw new HostUnavailableError('a pool needs a folder on this machine. Open one.')
    const scope = session.folder.uri
    const settings = {
      stuckAfterMs: readSetting('stuckAfterMs', scope),
      gracePeriodMs: readSetting('gracePeriodMs', scope),
      useSigkill: readSetting('useSigkill', scope),
      nodePath: readSetting('nodePath', scope),
      pythonPath: readSetting('pythonPath', scope),
      recordArguments: readSetting('recordArguments', scope),
      stackSignal: readSetting('stackSignal', scope),
    }
    return new PoolTerminal({
      session,
      params: launchParams(label, definition, isInTasksFile ? rawTask(label, scope) : undefined, settings, process.env),
      onLaunched,
      leavesPoolRunning,
      onError,
      terminate: async (poolId, reason) => {
        await session.request(
          'unhang/shutdown',
          { targets: [{ kind: 'pool', poolId }], mode: 'terminate', askedBy: 'user', reason },
          { timeoutMs: terminateTimeoutMs },
        )
      },
    })
  }
}
