import * as assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as vscode from 'vscode'
import type { PoolRecord } from '../../../src/extension/model/poolStore'
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
  stubborn,
  unhang,
  writeTasks,
} from './support'

describe('Ending', () => {
  let api: UnhangTestApi
  let answers: Answers
  const running = async (label: string, workers: number): Promise<PoolRecord> => {
    await runTask(label)
    return poolThat(
      api,
      label,
      (pool) => liveWorkers(pool).filter(({ pid, status }) => pid > 0 && status === 'busy').length === workers,
    )
  }

  before(async () => {
    api = await unhang()
    await writeTasks(
      { label: 'Sleep', ...sleeper },
      { label: 'Sleep too', ...sleeper },
      { label: 'Stubborn', ...stubborn },
    )
  })
  beforeEach(() => {
    answers = new Answers()
    api.setPrompts(answers)
  })
  afterEach(() => endEverything(api))

  it('asks before it kills more than one worker, and does nothing when the answer is no', async () => {
    const pool = await running('Sleep', 2)
    answers.confirms = false
    await vscode.commands.executeCommand('unhang.killPool', { kind: 'pool', poolId: pool.header.id })
    assert.equal(answers.confirmations.length, 1)
    assert.match(answers.confirmations[0]?.message ?? '', /Sleep.*2 workers/)
    assert.equal(
      liveWorkers(pool).every(({ pid }) => isAlive(pid)),
      true,
    )
  })

  it('kills a pool after one question, and shows how its workers ended', async () => {
    const pool = await running('Sleep', 2)
    await vscode.commands.executeCommand('unhang.killPool', { kind: 'pool', poolId: pool.header.id })
    const ended = await poolThat(api, 'Sleep', (found) => found.header.state === 'ended')
    assert.deepEqual(
      [...ended.workers.values()].map(({ signal }) => signal),
      ['SIGKILL', 'SIGKILL'],
    )
    const [root] = api.view.getChildren()
    const group = api.view.getChildren(root).find(({ kind }) => kind === 'exitedGroup')
    const rows = api.view.getChildren(group).map((node) => api.view.getTreeItem(node).description)
    assert.equal(rows.length, 2)
    for (const row of rows) assert.match(String(row), /^exit -9 \(SIGKILL\) · .* lost$/)
  })

  it('kills one worker without asking; the pool goes on', async () => {
    const pool = await running('Sleep', 2)
    const [worker] = liveWorkers(pool)
    await vscode.commands.executeCommand('unhang.killWorker', {
      kind: 'worker',
      poolId: pool.header.id,
      name: worker?.name,
    })
    assert.deepEqual(answers.confirmations, [])
    await poolThat(api, 'Sleep', (found) => found.header.counts.lost === 1 && found.header.state !== 'ended')
    assert.equal(isAlive(worker?.pid ?? 0), false)
  })

  it('takes a selection of several workers, and asks for them together', async () => {
    const pool = await running('Sleep', 2)
    const rows = liveWorkers(pool).map(({ name }) => ({ kind: 'worker', poolId: pool.header.id, name }))
    await vscode.commands.executeCommand('unhang.killWorker', rows[0], rows)
    assert.equal(answers.confirmations.length, 1)
    await eventually('both are gone', () => liveWorkers(pool).every(({ pid }) => !isAlive(pid)))
  })

  it('lets one choose from the palette, with state and pids', async () => {
    const first = await running('Sleep', 2)
    const second = await running('Sleep too', 2)
    answers.picks = (label) => label === 'Sleep too'
    await vscode.commands.executeCommand('unhang.terminatePool')
    await poolThat(api, 'Sleep too', (found) => found.header.state === 'ended')
    const offered = answers.offered[0] ?? []
    assert.deepEqual(offered.map(({ label }) => label).sort(), ['Sleep', 'Sleep too'])
    for (const { pid } of liveWorkers(second))
      assert.ok(
        offered.some(({ detail }) => detail?.includes(String(pid))),
        `no ${pid} among the choices`,
      )
    assert.equal(
      liveWorkers(first).every(({ pid }) => isAlive(pid)),
      true,
    )
  })

  it('terminates every pool after one question', async () => {
    await running('Sleep', 2)
    await running('Sleep too', 2)
    await vscode.commands.executeCommand('unhang.terminateAll')
    assert.match(answers.confirmations[0]?.message ?? '', /2 pools/)
    await eventually('both have ended', () => api.sessions.catalog.livePools.length === 0)
    assert.equal(api.statusBar.text, '')
  })

  it('cancels a running task', async () => {
    const pool = await running('Sleep', 2)
    const [worker] = liveWorkers(pool)
    await vscode.commands.executeCommand('unhang.cancelTask', {
      kind: 'task',
      poolId: pool.header.id,
      worker: worker?.name,
    })
    await poolThat(api, 'Sleep', (found) => found.header.counts.cancelled === 1)
  })

  it('runs a lost task once more', async () => {
    const pool = await running('Sleep', 2)
    const [worker] = liveWorkers(pool)
    await vscode.commands.executeCommand('unhang.killWorker', {
      kind: 'worker',
      poolId: pool.header.id,
      name: worker?.name,
    })
    await poolThat(api, 'Sleep', (found) => found.header.counts.lost === 1 && found.header.counts.running === 1)
    await vscode.commands.executeCommand('unhang.retryTask', {
      kind: 'task',
      poolId: pool.header.id,
      worker: worker?.name,
    })
    await poolThat(api, 'Sleep', (found) => found.header.counts.running === 2)
  })

  it('shows what Terminate could not end, and ends it by Kill', async () => {
    const pool = await running('Stubborn', 1)
    const [worker] = liveWorkers(pool)
    // Only after its trap is set does it ignore SIGTERM.
    await eventually('the trap is set', () => isDeafToSigterm(worker?.pid ?? 0))
    answers.takes = ({ actions }) => actions.find((action) => action.startsWith('Kill'))
    await vscode.commands.executeCommand('unhang.terminatePool', { kind: 'pool', poolId: pool.header.id })
    const issue = await eventually('the issue is shown', () =>
      answers.notifications.find(({ message }) => message.includes('still alive')),
    )
    assert.equal(issue.severity, 'warning')
    assert.match(issue.message, new RegExp(`pid=${worker?.pid}`))
    assert.deepEqual(issue.actions, ['Kill (SIGKILL)', 'Show Report', 'Show Log'])
    await poolThat(api, 'Stubborn', (found) => found.header.state === 'ended')
    assert.equal(isAlive(worker?.pid ?? 0), false)
  })

  it('keeps a report of it as a page', async () => {
    const pool = await running('Stubborn', 1)
    await eventually('the trap is set', () => isDeafToSigterm(liveWorkers(pool)[0]?.pid ?? 0))
    answers.takes = ({ actions }) => actions.find((action) => action === 'Show Report')
    await vscode.commands.executeCommand('unhang.terminatePool', { kind: 'pool', poolId: pool.header.id })
    const tab = await eventually('the report is open', () =>
      vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).find(({ label }) => label.includes('Stubborn.md')),
    )
    assert.ok(tab.input instanceof vscode.TabInputWebview, 'the report is not shown as a page')
    const report = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'unhang-report')
    assert.equal(report?.languageId, 'markdown')
    assert.match(report.getText(), /worker still alive/)
    assert.match(report.getText(), /SIGTERM/)
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor')
  })

  it('removes ended pools from the view', async () => {
    const pool = await running('Sleep', 2)
    await vscode.commands.executeCommand('unhang.terminatePool', { kind: 'pool', poolId: pool.header.id })
    await poolThat(api, 'Sleep', (found) => found.header.state === 'ended')
    await vscode.commands.executeCommand('unhang.removePool')
    await eventually('the view is empty', () => api.view.getChildren().length === 0)
  })

  it('copies the pids of what is selected', async () => {
    const pool = await running('Sleep', 2)
    await vscode.commands.executeCommand('unhang.copyPid', { kind: 'pool', poolId: pool.header.id })
    assert.deepEqual(
      (await vscode.env.clipboard.readText()).split(' ').sort(),
      liveWorkers(pool)
        .map(({ pid }) => String(pid))
        .sort(),
    )
  })

  it('says so when there is nothing to end', async () => {
    for (const command of ['unhang.terminatePool', 'unhang.killWorker', 'unhang.terminateAll', 'unhang.killStuck']) {
      await vscode.commands.executeCommand(command)
    }
    assert.deepEqual(
      answers.notifications.map(({ message }) => message),
      ['No pool is running.', 'No worker is running.', 'No pool is running.', 'No worker is stuck.'],
    )
  })
})

/** Whether a process ignores or catches SIGTERM, as the kernel tells: bit 14 of SigIgn and SigCgt. */
function isDeafToSigterm(pid: number): boolean {
  const masks = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^Sig(?:Ign|Cgt):\t([0-9a-f]+)$/gm)
  return [...masks].some(([, mask]) => (BigInt(`0x${mask ?? '0'}`) & (1n << 14n)) !== 0n)
}
