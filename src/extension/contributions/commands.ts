/**
 * Every command, once. The compiler asks for a handler for each ({@link CommandHandlers}), a unit test compares the
 * list with package.json and package.nls.json in both directions (vscode-js-debug, `contributionUtils.ts`).
 */
export const commandIds = [
  'unhang.launchPool',
  'unhang.watchProgram',
  'unhang.attachProcess',
  'unhang.terminatePool',
  'unhang.killPool',
  'unhang.terminateWorker',
  'unhang.killWorker',
  'unhang.killStuck',
  'unhang.terminateAll',
  'unhang.cancelTask',
  'unhang.retryTask',
  'unhang.rescuePool',
  'unhang.showStack',
  'unhang.refreshStack',
  'unhang.removePool',
  'unhang.showReport',
  'unhang.copyPid',
  'unhang.showLog',
  'unhang.createTasksFile',
  'unhang.connectHost',
  'unhang.restartHost',
  'unhang.showMore',
] as const
export type CommandId = (typeof commandIds)[number]

/**
 * Commands that only make sense on a row of a view or in an editor's title; they are contributed but kept out of the
 * palette.
 */
export const rowOnlyCommands: readonly CommandId[] = ['unhang.showMore', 'unhang.refreshStack']

/**
 * One handler for each command. Arguments come from a row, a code lens, a keybinding or nobody, so they are unknown.
 */
export type CommandHandlers = Readonly<Record<CommandId, (...args: readonly unknown[]) => Promise<void> | void>>
