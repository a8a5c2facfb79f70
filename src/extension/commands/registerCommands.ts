import { CancellationError, commands, type LogOutputChannel } from 'vscode'
import * as l10n from '@vscode/l10n'
import { commandIds, type CommandHandlers, type CommandId } from '../contributions/commands'
import { DisposableStore, type Disposable } from '../lifecycle'
import type { Prompts } from '../prompts/prompts'

/** Shows an error that a person's action ran into; giving up on purpose is no error. */
export type ReportError = (what: string, error: unknown) => void

/** Reports errors in the log and as a notification with a way to the log. */
export function errorReporter(prompts: () => Prompts, log: LogOutputChannel): ReportError {
  return (what, error) => {
    if (error instanceof CancellationError) return
    const message = error instanceof Error ? error.message : String(error)
    log.error(`${what}: ${error instanceof Error ? (error.stack ?? message) : message}`)
    const showLog = l10n.t('Show Log')
    prompts()
      .notify('error', message, [showLog])
      .then(
        (answer) => {
          if (answer === showLog) log.show()
        },
        (failure: unknown) => {
          log.error(`The notification could not be shown: ${String(failure)}`)
        },
      )
  }
}

/** Registers every command; one that fails is reported and leaves nothing unhandled. */
export function registerCommands(handlers: CommandHandlers, report: ReportError): Disposable {
  const owned = new DisposableStore()
  for (const id of commandIds) {
    owned.add(commands.registerCommand(id, (...args: unknown[]) => run(id, handlers, args, report)))
  }
  return owned
}

async function run(
  id: CommandId,
  handlers: CommandHandlers,
  args: readonly unknown[],
  report: ReportError,
): Promise<void> {
  try {
    await handlers[id](...args)
  } catch (error) {
    report(id, error)
  }
}
