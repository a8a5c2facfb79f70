import * as l10n from '@vscode/l10n'
import { ExtensionMode, l10n as editorL10n, window, type ExtensionContext } from 'vscode'
import { Unhang } from './unhang'
import type { UnhangTestApi } from './testApi'

let running: Unhang | undefined

/**
 * Called when VS Code has started up, or earlier when a view, command or task of ours is used. Registers everything and
 * reads nothing: the language client is loaded and the host is looked for afterwards.
 * @returns an interface for our own tests in a test window, nothing otherwise.
 */
export function activate(context: ExtensionContext): UnhangTestApi | undefined {
  if (editorL10n.bundle !== undefined) l10n.config({ contents: editorL10n.bundle })
  const log = window.createOutputChannel('Unhang', { log: true })
  context.subscriptions.push(log)
  running = new Unhang(context, log)
  running.start()
  return context.extensionMode === ExtensionMode.Test ? running.testApi() : undefined
}

/** Resolves when every connection is closed and, with `onWindowClose: terminate`, this window's pools have ended. */
export async function deactivate(): Promise<void> {
  const ending = running
  running = undefined
  await ending?.stop()
}
