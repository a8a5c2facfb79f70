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
  unhang,
  writeTasks,
} from './support'

const hanging = { command: ['sleep', '86400'], stuckAfterMs: 1500 }

describe('A task that is stuck', () => {
  let api: UnhangTestApi
  let answers: Answers

  before(async () => {
    api = await unhang()
    await writeTasks(
      { label: 'One hangs', ...hanging, items: ['a'] },
      { label: 'Three hang', ...hanging, items: ['a', 'b', 'c'], processes: 3 },
    )
  })
  beforeEach(() => {
    answers = new Answers()
    api.setPrompts(answers)
  })
  afterEach(async () => {
    await vscode.workspace
      .getConfiguration('unhang')
      .update('notifyOnStuck', undefined, vscode.ConfigurationTarget.Global)
    await endEverything(api)
  })

  it('is flagged in the badge, the status bar and its rows, and told once', async () => {
    await runTask('One hangs')
    await poolThat(api, 'One hangs', ({ header }) => header.counts.stuck === 1)
    assert.equal(api.view.badge, 1)
    assert.match(api.statusBar.text, /warning.*1 pool, 1 stuck/)
    const [pool] = api.view.getChildren()
    const [worker] = api.view.getChildren(pool)
    assert.ok(pool && worker)
    const row = api.view.getTreeItem(worker)
    assert.match(String(row.description), /^pid \d+ · stuck (?:<10|\d+) s · /)
    assert.match(row.accessibilityInformation?.label ?? '', /stuck/)
    assert.equal((row.iconPath as vscode.ThemeIcon).id, 'warning')
    assert.match(row.contextValue ?? '', /^worker\+busy\+live\+stuck/)
    const tooltip = api.view.resolveTreeItem(row, worker).tooltip as vscode.MarkdownString
    assert.match(tooltip.value, /Stuck: no progress/)
    const told = await eventually('the notification', () => answers.notifications[0])
    assert.match(told.message, /One hangs.*PoolWorker-1 \(pid \d+\)/)
    assert.deepEqual(told.actions, ['Show', 'Terminate', 'Kill', 'Don’t Show Again'])
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    assert.equal(answers.notifications.length, 1)
  })

  it('is one notification for several of them', async () => {
    await runTask('Three hang')
    await poolThat(api, 'Three hang', ({ header }) => header.counts.stuck === 3)
    const told = await eventually('the notification', () => answers.notifications[0])
    assert.match(told.message, /3 tasks are stuck/)
  })

  it('is ended by the notification’s Terminate', async () => {
    answers.takes = ({ actions }) => actions.find((action) => action === 'Terminate')
    await runTask('One hangs')
    const pool = await poolThat(api, 'One hangs', ({ header }) => header.counts.running === 1)
    const [worker] = liveWorkers(pool)
    await poolThat(api, 'One hangs', ({ header }) => header.counts.lost === 1)
    await eventually('the worker is gone', () => !isAlive(worker?.pid ?? 0))
    assert.equal(api.view.badge, 0)
  })

  it('is told no more after Don’t Show Again', async () => {
    answers.takes = ({ actions }) => actions.find((action) => action.startsWith('Don’t'))
    await runTask('One hangs')
    await eventually(
      'the setting is off',
      () => vscode.workspace.getConfiguration('unhang').get('notifyOnStuck') === false,
    )
    await endEverything(api)
    answers.notifications.length = 0
    await runTask('One hangs')
    await poolThat(api, 'One hangs', ({ header }) => header.counts.stuck === 1)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    assert.deepEqual(answers.notifications, [])
    assert.equal(api.view.badge, 1)
  })

  it('is killed with the others by Kill All Stuck Workers, after one question', async () => {
    await runTask('Three hang')
    await poolThat(api, 'Three hang', ({ header }) => header.counts.stuck === 3)
    await vscode.commands.executeCommand('unhang.killStuck')
    assert.match(answers.confirmations[0]?.message ?? '', /3 workers/)
    await poolThat(api, 'Three hang', ({ header }) => header.counts.lost === 3)
  })
})
