/**
 * A task of VS Code's, as far as it is told from others: its scope is a folder, or a number for what belongs to none.
 */
export interface ScopedTask {
  readonly name: string
  readonly scope?: number | { readonly uri: { toString(): string } } | undefined
}

/** The tasks with a label, of the folder with that URI if one is named: two folders may use the same label. */
export function tasksNamed<T extends ScopedTask>(tasks: readonly T[], label: string, folder: string | undefined): T[] {
  return tasks.filter(
    ({ name, scope }) =>
      name === label && (folder === undefined || (typeof scope === 'object' && scope.uri.toString() === folder)),
  )
}
