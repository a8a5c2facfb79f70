import { settingDefaults, type Settings } from '../contributions/settingKeys'
import type { ParamsOf } from '../../protocol'

/** Settings that a pool is launched with where its definition does not say. */
export type LaunchDefaults = Pick<
  Settings,
  'stuckAfterMs' | 'gracePeriodMs' | 'useSigkill' | 'nodePath' | 'pythonPath' | 'recordArguments' | 'stackSignal'
>

/**
 * A launch request: VS Code's resolved values, the raw task's keys that VS Code dropped, settings for what is left
 * open.
 */
export function launchParams(
  label: string,
  resolved: Readonly<Record<string, unknown>>,
  raw: Readonly<Record<string, unknown>> | undefined,
  settings: LaunchDefaults,
  env: NodeJS.ProcessEnv,
): ParamsOf<'unhang/launchPool'> {
  const { nodePath, pythonPath, stackSignal, ...same } = settings
  return {
    label,
    definition: { ...raw, ...resolved },
    env: userEnvironment(env),
    defaults: {
      ...same,
      ...(stackSignal === null ? {} : { stackSignal }),
      ...(nodePath === settingDefaults.nodePath ? {} : { nodePath }),
      ...(pythonPath === settingDefaults.pythonPath ? {} : { pythonPath }),
    },
  }
}

/** What the extension host added for itself; an integrated terminal leaves these out too. */
const editorsOwn = /^(?:VSCODE_|ELECTRON_RUN_AS_NODE$|ELECTRON_NO_ASAR$|APPLICATION_INSIGHTS_NO_)/

/** The environment as the person's own terminal would have it. */
export function userEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !editorsOwn.test(entry[0]),
    ),
  )
}
