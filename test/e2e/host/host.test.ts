import * as assert from 'node:assert/strict'
import * as vscode from 'vscode'
import type { UnhangTestApi } from '../../../src/extension/testApi'
import {
  Answers,
  endEverything,
  eventually,
  isAlive,
  liveWorkers,
  poolThat,
  runTask,
  sleeper,
  unhang,
  writeTasks,
} from './support'

describe('The host', () => {
  let api: UnhangTestApi
  let answers: Answers

  before(async () => {
    api = await unhang()
    await writeTasks({ label: 'Sleep', ...sleeper })
  })
  beforeEach(() => {
    answers = new Answers()
    api.setPrompts(answers)
  })
  afterEach(() => endEverything(api))

  it('is started once, however many ask for it at the same time', async () => {
    const [session] = api.sessions.all
    const answersOfAll = await Promise.all(
      Array.from({ length: 5 }, async () => session?.request('unhang/hostStatus', {})),
    )
    assert.equal(new Set(answersOfAll.map((status) => status?.pid)).size, 1)
  })

  it('that is killed is replaced, and what it left behind is shown and can be ended', async () => {
    const [session] = api.sessions.all
    const { exitCode } = await runTask('Sleep')
    const pool = await poolThat(
      api,
      'Sleep',
      (found) => liveWorkers(found).filter(({ status }) => status === 'busy').length === 2,
    )
    const pids = liveWorkers(pool).map(({ pid }) => pid)
    const before = await session?.request('unhang/hostStatus', {})
    assert.ok(before)
    process.kill(before.pid, 'SIGKILL')
    assert.equal(await exitCode, 1)
    const orphaned = await eventually('the orphans are shown', () =>
      api.sessions.catalog.pools.find(({ header }) => header.orphaned),
    )
    assert.deepEqual(
      liveWorkers(orphaned)
        .map(({ pid }) => pid)
        .sort(),
      pids.sort(),
    )
    const [row] = api.view.getChildren()
    assert.ok(row)
    assert.match(String(api.view.getTreeItem(row).description), /orphaned/)
    await vscode.commands.executeCommand('unhang.killPool', { kind: 'pool', poolId: orphaned.header.id })
    await eventually('they are gone', () => pids.every((pid) => !isAlive(pid)))
    assert.deepEqual(
      answers.notifications.filter(({ severity }) => severity === 'error'),
      [],
    )
  })

  it('that is ended on purpose stays ended, with its pools', async () => {
    const [session] = api.sessions.all
    await runTask('Sleep')
    const pool = await poolThat(
      api,
      'Sleep',
      (found) => liveWorkers(found).filter(({ status }) => status === 'busy').length === 2,
    )
    const pids = liveWorkers(pool).map(({ pid }) => pid)
    assert.deepEqual(await session?.request('unhang/stopHost', {}), { issues: [] })
    assert.deepEqual(pids.filter(isAlive), [])
    await eventually('the connection is gone', () => session?.state === 'none')
    // Longer than the first two attempts to connect again would take.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    assert.equal(session?.state, 'none')
    assert.deepEqual(answers.notifications, [])
  })

  it('that cannot be started is explained, and is there when what was wrong is right again', async () => {
    const [session] = api.sessions.all
    const setting = vscode.workspace.getConfiguration('unhang')
    await session?.request('unhang/stopHost', {})
    await eventually('the host is gone', () => session?.state === 'none')
    await setting.update('nodePath', '/no/such/node', vscode.ConfigurationTarget.Global)
    try {
      const { exitCode } = await runTask('Sleep')
      assert.equal(await exitCode, 1)
      assert.equal(session?.state, 'failed')
      await vscode.commands.executeCommand('unhang.connectHost')
      const told = await eventually('the error', () =>
        answers.notifications.find(({ severity }) => severity === 'error'),
      )
      assert.match(told.message, /no\/such\/node/)
      assert.deepEqual(told.actions, ['Show Log'])
    } finally {
      await setting.update('nodePath', undefined, vscode.ConfigurationTarget.Global)
    }
    await vscode.commands.executeCommand('unhang.connectHost')
    assert.equal(session.state, 'connected')
  })

  it('that is stopped is shown within seconds, and restarted only after a yes', async () => {
    const [session] = api.sessions.all
    const before = await session?.request('unhang/hostStatus', {})
    assert.ok(before)
    answers.confirms = false
    process.kill(before.pid, 'SIGSTOP')
    try {
      const told = await eventually(
        'it is told',
        () => answers.notifications.find(({ message }) => message.includes(`pid ${before.pid}`)),
        30_000,
      )
      assert.match(told.message, /is stopped and does not answer/)
      assert.deepEqual(told.actions, ['Restart Host', 'Show Log'])
      assert.match(api.view.message, /is stopped/)
      await vscode.commands.executeCommand('unhang.restartHost')
      assert.equal(isAlive(before.pid), true)
      assert.match(
        answers.confirmations.at(-1)?.detail ?? '',
        new RegExp(`Process ${before.pid} is stopped\\. SIGKILL ends it and its pools`),
      )

      answers.confirms = true
      await vscode.commands.executeCommand('unhang.restartHost')
      assert.equal(isAlive(before.pid), false)
      assert.equal(session?.state, 'connected')
      assert.equal(api.view.message, '')
      const after = await session.request('unhang/hostStatus', {})
      assert.notEqual(after.pid, before.pid)
    } finally {
      if (isAlive(before.pid)) process.kill(before.pid, 'SIGCONT')
    }
  })

  it('measures while the views are looked at', async () => {
    await runTask('Sleep')
    await vscode.commands.executeCommand('unhang.machine.focus')
    await vscode.commands.executeCommand('unhang.pools.focus')
    await poolThat(api, 'Sleep', (pool) => liveWorkers(pool).some(({ memoryBytes }) => memoryBytes !== null))
    await eventually('the machine is measured', () => api.machineView.getChildren().length === 4)
    const rows = api.machineView.getChildren().map((id) => api.machineView.getTreeItem(id).description)
    assert.match(String(rows[0]), /^[\d.]+ % of \d+ cores$/)
    await vscode.commands.executeCommand('workbench.view.explorer')
    await eventually('the views are hidden', () => !api.view.visible && !api.machineView.visible)
  })
})
