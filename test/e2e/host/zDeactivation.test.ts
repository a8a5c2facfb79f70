import * as assert from 'node:assert/strict'
import * as vscode from 'vscode'
import { Answers, eventually, isAlive, liveWorkers, poolThat, runTask, sleeper, unhang, writeTasks } from './support'

// Last in the alphabet: after it the extension is no longer there.
describe('Deactivation', () => {
  it('with onWindowClose "terminate" ends this window’s pools, and leaves nothing of the extension', async () => {
    const api = await unhang()
    api.setPrompts(new Answers())
    await vscode.workspace
      .getConfiguration('unhang')
      .update('onWindowClose', 'terminate', vscode.ConfigurationTarget.Global)
    await writeTasks({ label: 'Sleep', ...sleeper })
    await runTask('Sleep')
    const pool = await poolThat(
      api,
      'Sleep',
      (found) => liveWorkers(found).filter(({ status }) => status === 'busy').length === 2,
    )
    const pids = liveWorkers(pool).map(({ pid }) => pid)
    await api.stop()
    await eventually('the workers are gone', () => pids.every((pid) => !isAlive(pid)))
    for (const terminal of vscode.window.terminals) terminal.dispose()
    await eventually('nothing is left', () => api.liveDisposableStores() === 0, 5_000).catch(() => {
      assert.equal(api.liveDisposableStores(), 0, 'disposable stores that are still open')
    })
    await vscode.workspace
      .getConfiguration('unhang')
      .update('onWindowClose', undefined, vscode.ConfigurationTarget.Global)
  })
})
