import { ConfigurationTarget, workspace, type Uri } from 'vscode'
import { settingDefaults, type SettingKey, type Settings } from './settingKeys'

const section = 'unhang'

/** Reads one setting, for a folder where it may differ by folder. */
export function readSetting<K extends SettingKey>(key: K, scope?: Uri): Settings[K] {
  return workspace.getConfiguration(section, scope ?? null).get<Settings[K]>(key, settingDefaults[key])
}

/** Writes one setting for the user, for *Don't Show Again*. */
export async function writeUserSetting<K extends SettingKey>(key: K, value: Settings[K]): Promise<void> {
  await workspace.getConfiguration(section).update(key, value, ConfigurationTarget.Global)
}

/** Calls back when any of these settings changes. */
export function onSettingsChange(keys: readonly SettingKey[], listener: () => void) {
  return workspace.onDidChangeConfiguration((event) => {
    if (keys.some((key) => event.affectsConfiguration(`${section}.${key}`))) listener()
  })
}
