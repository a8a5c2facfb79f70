import type { CodeLens, Command } from 'vscode-languageserver/node'
import type { TextDocument } from 'vscode-languageserver-textdocument'
import type { PoolHeader } from '../../protocol'
import { parseTasksFile } from '../launch/tasksFile'

/** The lens above each pool task: a command that launches it, or its progress and a command that ends it. */
export function codeLensesOf(document: TextDocument, pools: readonly PoolHeader[]): CodeLens[] {
  const folder = folderOf(document)
  return parseTasksFile(document.getText()).poolTasks.flatMap(({ label, node }) => {
    if (label === undefined) return []
    const range = { start: document.positionAt(node.offset), end: document.positionAt(node.offset + 1) }
    return lensCommands(label, folder, pools).map((command) => ({ range, command }))
  })
}

/** All that the lenses of any document could show; while it stays the same, no client has to ask again. */
export function lensState(pools: readonly PoolHeader[]): string {
  return pools
    .filter(isLive)
    .map((pool) => `${pool.label ?? ''}\n${pool.id}\n${countsText(pool)}`)
    .join('\n')
}

/**
 * The URI of the folder that a tasks.json belongs to, as the client wrote it: a workspace may have several folders, and
 * each its labels.
 */
function folderOf({ uri }: TextDocument): string {
  return uri.replace(/\/\.vscode\/tasks\.json$/, '')
}

function lensCommands(label: string, folder: string, pools: readonly PoolHeader[]): Command[] {
  const running = pools.filter((pool) => pool.label === label && isLive(pool))
  if (running.length === 0)
    return [{ title: '$(play) Launch', command: 'unhang.launchPool', arguments: [{ label, folder }] }]
  return running.flatMap((pool) => [
    { title: '$(debug-stop) Terminate', command: 'unhang.terminatePool', arguments: [{ poolId: pool.id }] },
    { title: countsText(pool), command: 'unhang.pools.focus', arguments: [] },
  ])
}

function isLive(pool: PoolHeader): boolean {
  return pool.state !== 'ended' && !pool.orphaned
}

function countsText({ counts, state }: PoolHeader): string {
  if (state === 'terminate') return 'terminating'
  const finished = counts.done + counts.failed + counts.lost + counts.timedOut + counts.cancelled
  const parts = [`${counts.running} busy`]
  if (counts.stuck > 0) parts.push(`${counts.stuck} stuck`)
  parts.push(`${finished} of ${finished + counts.running + counts.queued} ended`)
  return parts.join(' · ')
}
