import * as l10n from '@vscode/l10n'
import { UntrustedWorkspaceError } from '../client/connection'
import type { Prompts } from '../prompts/prompts'

/** A folder that a tasks.json could be written in. */
export interface NamedFolder {
  readonly name: string
  readonly uri: { readonly scheme: string; readonly fsPath: string }
}

/** What *Create tasks.json with a Pool Task* needs. */
export interface CreateTasksFileContext<Folder extends NamedFolder> {
  readonly isTrusted: () => boolean
  readonly folders: () => readonly Folder[]
  readonly prompts: () => Prompts
  /** Adds the sample task to the folder's tasks.json and shows it. */
  readonly write: (folder: Folder) => Promise<void>
}

/**
 * Adds the sample task to the tasks.json of a folder, which is asked for when there are several.
 * @throws {@link UntrustedWorkspaceError}
 */
export async function createTasksFile<Folder extends NamedFolder>({
  isTrusted,
  folders,
  prompts,
  write,
}: CreateTasksFileContext<Folder>): Promise<void> {
  if (!isTrusted()) throw new UntrustedWorkspaceError()
  // Pools are processes of this machine, so their tasks belong to its folders.
  const local = folders().filter(({ uri }) => uri.scheme === 'file')
  const [only] = local
  if (only === undefined) {
    await prompts().notify('info', l10n.t('Open a folder first: tasks.json is kept in its .vscode folder.'), [])
    return
  }
  const choices = local.map((folder) => ({ label: folder.name, description: folder.uri.fsPath, value: folder }))
  const folder =
    local.length === 1
      ? only
      : await prompts().pickOne(choices, {
          title: l10n.t('Create tasks.json with a Pool Task'),
          placeholder: l10n.t('The folder whose tasks.json gets the sample task'),
        })
  if (folder !== undefined) await write(folder)
}
