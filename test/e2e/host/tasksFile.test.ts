import * as assert from 'node:assert/strict'
import * as vscode from 'vscode'
import type { UnhangTestApi } from '../../../src/extension/testApi'
import {
  Answers,
  endEverything,
  eventually,
  poolThat,
  runTask,
  sleeper,
  unhang,
  workspaceFolder,
  writeTasks,
} from './support'

describe('.vscode/tasks.json', () => {
  let api: UnhangTestApi
  const uri = (): vscode.Uri => vscode.Uri.joinPath(workspaceFolder().uri, '.vscode', 'tasks.json')
  const lenses = async (): Promise<{ title: string; command: string; args: unknown[] | undefined }[]> => {
    const found = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri(), 100)
    return found.flatMap(({ command }) =>
      command
        ? [{ title: command.title, command: command.command, args: command.arguments as unknown[] | undefined }]
        : [],
    )
  }

  /** Replaces the file, and waits until the editor has seen it. */
  const writeText = async (text: string): Promise<void> => {
    await vscode.workspace.fs.writeFile(uri(), Buffer.from(text))
    await eventually(
      'the editor reads the file',
      async () => (await vscode.workspace.openTextDocument(uri())).getText() === text,
    )
  }

  before(async () => {
    api = await unhang()
  })
  beforeEach(() => {
    api.setPrompts(new Answers())
  })
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors')
    await endEverything(api)
  })

  it('has a lens above each pool task that launches it, and then ends it', async () => {
    await writeTasks({ label: 'Sleep', ...sleeper })
    await vscode.window.showTextDocument(uri())
    const launch = await eventually('the lens', async () =>
      (await lenses()).find(({ command }) => command === 'unhang.launchPool'),
    )
    assert.match(launch.title, /Launch/)
    await vscode.commands.executeCommand(launch.command, ...(launch.args ?? []))
    await poolThat(api, 'Sleep', ({ header }) => header.counts.running === 2)
    const terminate = await eventually('the lens of the running pool', async () =>
      (await lenses()).find(({ command }) => command === 'unhang.terminatePool'),
    )
    assert.ok((await lenses()).some(({ title }) => title.includes('2 busy')))
    await vscode.commands.executeCommand(terminate.command, ...(terminate.args ?? []))
    await poolThat(api, 'Sleep', ({ header }) => header.state === 'ended')
  })

  it('is checked: a definition that cannot run is marked at the key, and the mark goes when it is fixed', async () => {
    await writeTasks({ label: 'Wrong', command: 'true', items: [1], cwd: 'no/such/folder' })
    const document = await vscode.workspace.openTextDocument(uri())
    await vscode.window.showTextDocument(document)
    const ours = (): vscode.Diagnostic[] =>
      vscode.languages.getDiagnostics(uri()).filter(({ source }) => source === 'unhang')
    const [problem] = await eventually('the diagnostic', () => (ours().length > 0 ? ours() : undefined))
    assert.ok(problem)
    assert.match(document.getText(problem.range), /cwd|no\/such\/folder/)
    await writeTasks({ label: 'Wrong', command: 'true', items: [1] })
    await eventually('the diagnostic goes', () => ours().length === 0)
  })

  it('gets hover texts and completion from the schema', async () => {
    await writeTasks({ label: 'Sleep', ...sleeper })
    const document = await vscode.workspace.openTextDocument(uri())
    await vscode.window.showTextDocument(document)
    const at = document.positionAt(document.getText().indexOf('"stuckAfterMs"') + 3)
    const text = await eventually('the hover', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', uri(), at)
      const found = hovers
        .flatMap(({ contents }) =>
          contents.map((content) => (content instanceof vscode.MarkdownString ? content.value : '')),
        )
        .join('\n')
      return found.includes('30000') ? found : undefined
    })
    assert.match(text, /stuck/)
  })

  it('can be created with a sample that runs', async () => {
    await vscode.workspace.fs.delete(uri())
    await vscode.commands.executeCommand('unhang.createTasksFile')
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), uri().toString())
    await eventually('VS Code knows the sample', async () =>
      (await vscode.tasks.fetchTasks({ type: 'pool' })).some(({ name }) => name === 'My first pool'),
    )
    const { exitCode } = await runTask('My first pool')
    assert.equal(await exitCode, 0)
  })

  it('that has tasks is given the sample below them, its comments stay, and it is saved and shown', async () => {
    const before =
      '{\n  // ours\n  "version": "2.0.0",\n  "tasks": [\n    { "type": "shell", "label": "Build", "command": ' +
      '"true" } // keep\n  ]\n}\n'
    await writeText(before)
    await vscode.commands.executeCommand('unhang.createTasksFile')
    const editor = vscode.window.activeTextEditor
    assert.equal(editor?.document.uri.toString(), uri().toString())
    const text = editor.document.getText()
    for (const kept of ['// ours', '"label": "Build"', '// keep']) assert.ok(text.includes(kept), `${kept} is gone`)
    assert.equal(editor.document.isDirty, false)
    assert.ok(editor.selection.active.line > 4, 'the sample is not where the cursor is')
    await eventually('VS Code knows the sample', async () =>
      (await vscode.tasks.fetchTasks({ type: 'pool' })).some(({ name }) => name === 'My first pool'),
    )
    await vscode.commands.executeCommand('unhang.createTasksFile')
    assert.equal(editor.document.getText(), text)
  })

  it('that makes no sense is left alone, and its person is told', async () => {
    const answers = new Answers()
    api.setPrompts(answers)
    const before = '{ "tasks": { } }\n'
    await writeText(before)
    await vscode.commands.executeCommand('unhang.createTasksFile')
    assert.match(answers.notifications.at(-1)?.message ?? '', /no list/)
    assert.equal(vscode.window.activeTextEditor?.document.getText(), before)
  })
})
