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

describe('A pool task', () => {
  let api: UnhangTestApi

  before(async () => {
    api = await unhang()
  })
  beforeEach(() => {
    api.setPrompts(new Answers())
  })
  afterEach(() => endEverything(api))

  it('runs to its end and exits with 0 when every task is done', async () => {
    await writeTasks({ label: 'Echo', command: ['echo', '${item}'], items: ['one', 'two', 'three'], processes: 2 })
    const { exitCode } = await runTask('Echo')
    assert.equal(await exitCode, 0)
    const { header } = await poolThat(api, 'Echo', (pool) => pool.header.state === 'ended')
    assert.equal(header.counts.done, 3)
    assert.equal(header.label, 'Echo')
  })

  it('hands ${item} and ${index} on as they are, and ${workspaceFolder} resolved', async () => {
    await writeTasks({
      label: 'Variables',
      command: [
        'sh',
        '-c',
        'test "$1" = "a b" && test "$2" = 0 && test -d "$3/.vscode"',
        'sh',
        '${item}',
        '${index}',
        '${workspaceFolder}',
      ],
      items: ['a b'],
    })
    const { exitCode } = await runTask('Variables')
    assert.equal(await exitCode, 0)
  })

  it('exits with 1 when one task failed', async () => {
    await writeTasks({ label: 'One fails', command: 'test ${item} != two', items: ['one', 'two', 'three'] })
    const { exitCode } = await runTask('One fails')
    assert.equal(await exitCode, 1)
    const { header } = await poolThat(api, 'One fails', (pool) => pool.header.state === 'ended')
    assert.deepEqual([header.counts.done, header.counts.failed], [2, 1])
  })

  for (const [what, definition] of Object.entries<Record<string, unknown>>({
    'an unknown key': { command: 'true', items: [1], procesess: 2 },
    'two programs': { command: 'true', module: './crawl.js#crawl', items: [1] },
    'no items': { command: 'true' },
    'a negative number': { command: 'true', items: [1], timeoutMs: -5 },
    'null for a number': { command: 'true', items: [1], timeoutMs: null },
    'a glob that matches nothing': { command: 'true', items: { glob: 'no/such/*.file' } },
    'a module that is not there': { module: './nowhere.js#run', items: [1] },
    'a command that is not there': { command: ['no-such-program-anywhere', '${item}'], items: [1] },
    'a folder that is not there': { command: 'true', items: [1], cwd: 'no/such/folder' },
  })) {
    it(`with ${what} exits with 1 and leaves no pool`, async () => {
      await writeTasks({ label: 'Wrong', ...definition })
      const { exitCode } = await runTask('Wrong')
      assert.equal(await exitCode, 1)
      assert.deepEqual(api.sessions.catalog.pools, [])
    })
  }

  it('ends its pool when its terminal is closed', async () => {
    await writeTasks({ label: 'Sleep', ...sleeper })
    await runTask('Sleep')
    const pool = await poolThat(api, 'Sleep', (found) => liveWorkers(found).filter(({ pid }) => pid > 0).length === 2)
    const pids = liveWorkers(pool).map(({ pid }) => pid)
    vscode.window.terminals.find(({ name }) => name.includes('Sleep'))?.dispose()
    await poolThat(api, 'Sleep', (found) => found.header.state === 'ended')
    assert.deepEqual(pids.filter(isAlive), [])
  })

  it('ends its pool when the task is terminated', async () => {
    await writeTasks({ label: 'Sleep', ...sleeper })
    const { execution } = await runTask('Sleep')
    await poolThat(api, 'Sleep', (found) => liveWorkers(found).length === 2)
    execution.terminate()
    await poolThat(api, 'Sleep', (found) => found.header.state === 'ended')
  })

  it('exits with 1 when its pool is terminated', async () => {
    await writeTasks({ label: 'Sleep', ...sleeper })
    const { exitCode } = await runTask('Sleep')
    const pool = await poolThat(api, 'Sleep', (found) => liveWorkers(found).length === 2)
    await vscode.commands.executeCommand('unhang.terminatePool', { poolId: pool.header.id })
    assert.equal(await exitCode, 1)
  })

  it('is launched by its label, as its code lens does, and by choice from the palette', async () => {
    await writeTasks({ label: 'Sleep', ...sleeper }, { label: 'Echo', command: 'echo ${item}', items: [1] })
    await vscode.commands.executeCommand('unhang.launchPool', { label: 'Sleep' })
    await poolThat(api, 'Sleep')
    const answers = new Answers()
    answers.picks = (label) => label === 'Echo'
    api.setPrompts(answers)
    await vscode.commands.executeCommand('unhang.launchPool')
    assert.deepEqual(answers.offered[0]?.map(({ label }) => label).sort(), ['Echo', 'Sleep'])
    await poolThat(api, 'Echo')
  })

  it('can be several at once, each with a pool of its own', async () => {
    await writeTasks({ label: 'First', ...sleeper }, { label: 'Second', ...sleeper })
    await Promise.all([runTask('First'), runTask('Second')])
    await poolThat(api, 'First')
    await poolThat(api, 'Second')
    await eventually('the status bar says so', () => api.statusBar.text.includes('2 pools'))
  })
})
