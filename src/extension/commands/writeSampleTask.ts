import {
  EndOfLine,
  Range,
  Selection,
  TextEditorRevealType,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
  type TextDocument,
  type TextEditor,
  type WorkspaceFolder,
} from 'vscode'
import * as l10n from '@vscode/l10n'
import type { Prompts } from '../prompts/prompts'
import { sampleTasksFile } from './sampleTasksFile'

/** Adds the sample task to a folder's tasks.json, which is written when there is none, and shows it. */
export async function writeSampleTask(folder: WorkspaceFolder, prompts: Prompts): Promise<void> {
  const uri = Uri.joinPath(folder.uri, '.vscode', 'tasks.json')
  if (!(await exists(uri))) await workspace.fs.writeFile(uri, new TextEncoder().encode(sampleTasksFile))
  const editor = await window.showTextDocument(uri, { preview: false })
  await addTo(editor, prompts)
}

/** As an edit, so that it can be undone, and so that it goes on from what has not been saved yet. */
async function addTo(editor: TextEditor, prompts: Prompts): Promise<void> {
  // A JSON parser that activation need not load.
  const { addSampleTask, findSampleTask } = await import('./addSampleTask')
  const { document } = editor
  const { tabSize, insertSpaces } = editor.options
  const result = addSampleTask(document.getText(), {
    tabSize: typeof tabSize === 'number' ? tabSize : 2,
    insertSpaces: insertSpaces !== false,
    eol: document.eol === EndOfLine.CRLF ? '\r\n' : '\n',
  })
  if (result.kind === 'unreadable') {
    show(editor, result.offset, 0)
    await prompts.notify(
      'warning',
      unreadable(result.why, result.detail, document.positionAt(result.offset).line + 1),
      [],
    )
    return
  }
  if (result.edits.length > 0) {
    const savedBefore = !document.isDirty
    const edit = new WorkspaceEdit()
    for (const { offset, length, content } of result.edits)
      edit.replace(document.uri, rangeOf(document, offset, length), content)
    if (!(await workspace.applyEdit(edit))) {
      await prompts.notify('warning', l10n.t('tasks.json could not be changed. Is it read-only?'), [])
      return
    }
    // VS Code runs what is saved; what the person has not saved yet is theirs to save.
    if (savedBefore) await document.save()
  }
  const found = findSampleTask(document.getText())
  if (found !== undefined) show(editor, found.offset, found.length)
}

function unreadable(why: 'syntax' | 'no-object' | 'no-list', detail: string, line: number): string {
  switch (why) {
    case 'syntax':
      return l10n.t('tasks.json cannot be read ({0}, line {1}). Correct that first, then try again.', detail, line)
    case 'no-object':
      return l10n.t(
        'tasks.json holds no object, so no task can be added. Write {0} instead, then try again.',
        '{ "version": "2.0.0", "tasks": [] }',
      )
    case 'no-list':
      return l10n.t(
        '“tasks” in tasks.json (line {0}) is no list, so no task can be added. Make it one, then try again.',
        line,
      )
  }
}

function show(editor: TextEditor, offset: number, length: number): void {
  const range = rangeOf(editor.document, offset, length)
  editor.selection = new Selection(range.start, range.start)
  editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport)
}

function rangeOf(document: TextDocument, offset: number, length: number): Range {
  return new Range(document.positionAt(offset), document.positionAt(offset + length))
}

async function exists(uri: Uri): Promise<boolean> {
  try {
    await workspace.fs.stat(uri)
    return true
  } catch {
    // stat() has no other way to say no; what else is wrong with the file, opening it will tell.
    return false
  }
}
