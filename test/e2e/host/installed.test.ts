import * as assert from 'node:assert/strict'
import * as vscode from 'vscode'

describe('The extension, as installed', () => {
  it('is known to VS Code and activates', async () => {
    const extension = vscode.extensions.getExtension('unhang.unhang')
    assert.ok(extension, 'VS Code does not list unhang.unhang')
    await extension.activate()
    assert.equal(extension.isActive, true)
  })

  it('registers every command that it contributes', async () => {
    const extension = vscode.extensions.getExtension('unhang.unhang')
    await extension?.activate()
    const manifest = extension?.packageJSON as { contributes?: { commands?: { command: string }[] } } | undefined
    const contributed = (manifest?.contributes?.commands ?? []).map(({ command }) => command)
    assert.ok(contributed.length > 0, 'package.json contributes no command')
    const registered = new Set(await vscode.commands.getCommands(true))
    assert.deepEqual(
      contributed.filter((command) => !registered.has(command)),
      [],
    )
  })
})
