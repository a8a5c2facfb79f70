import * as assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as vscode from 'vscode'
import type { PoolRecord } from '../../../src/extension/model/poolStore'
import type { UnhangTestApi } from '../../../src/extension/testApi'
import { Answers, endEverything, eventually, isAlive, poolThat, unhang, workspaceFolder } from './support'

/** The pool in the program, once it is stuck. */
async function stuckPool(api: UnhangTestApi): Promise<PoolRecord> {
  return eventually('the lost task', () =>
    api.sessions.catalog.pools.find(
      ({ header }) => header.kind === 'watched' && header.verdicts.some(({ code }) => code === 'lost-task'),
    ),
  )
}

describe('A program of the user’s own', () => {
  let api: UnhangTestApi
  let answers: Answers

  before(async () => {
    api = await unhang()
  })
  beforeEach(() => {
    answers = new Answers()
    api.setPrompts(answers)
  })
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors')
    await endEverything(api)
  })

  async function watch(line = 'python3 train.py'): Promise<PoolRecord> {
    answers.types = line
    await vscode.commands.executeCommand('unhang.watchProgram')
    return stuckPool(api)
  }

  it('is run by a command line, shown with its pool below it, and told of once when it hangs', async () => {
    const pool = await watch()
    const program = api.sessions.catalog.programOf(pool)
    assert.equal(program?.header.name, 'train.py')
    assert.ok(isAlive(program.header.program?.pid ?? 0))
    assert.deepEqual(
      api.view.getChildren().map((node) => node.poolId),
      [program.header.id],
    )
    assert.ok(api.view.getChildren(api.view.getChildren()[0]).some((node) => node.poolId === pool.header.id))
    const told = await eventually('the notification', () =>
      answers.notifications.find(({ message }) => message.includes('train(5) was lost')),
    )
    assert.deepEqual(told.actions, ['Rescue…', 'Show', 'Terminate', 'Don’t Show Again'])
    assert.equal(api.view.badge, 1)
    assert.match(api.statusBar.text, /1 pool, 1 stuck/)
  })

  it('is run as the Python file that is open, unsaved changes included', async () => {
    const uri = vscode.Uri.joinPath(workspaceFolder().uri, 'open.py')
    await vscode.workspace.fs.writeFile(uri, Buffer.from('raise SystemExit(1)\n'))
    const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri))
    await editor.edit((edit) => {
      edit.replace(new vscode.Range(0, 0, 1, 0), 'raise SystemExit(3)\n')
    })
    answers.picks = (label) => label.endsWith(' open.py')
    await vscode.commands.executeCommand('unhang.watchProgram')
    const program = await poolThat(api, 'open.py', ({ header }) => header.state === 'ended')
    assert.equal(program.header.program?.exitCode, 3)
  })

  it('goes on after a rescue, which is asked about once', async () => {
    const pool = await watch()
    const program = api.sessions.catalog.programOf(pool)
    answers.picks = (label) => label === 'Run the task again'
    await vscode.commands.executeCommand('unhang.rescuePool', { kind: 'pool', poolId: pool.header.id })
    assert.equal(answers.confirmations.length, 1)
    assert.match(answers.confirmations[0]?.message ?? '', /^Rescue train\.py:\d+\?$/)
    assert.match(
      answers.confirmations[0]?.detail ?? '',
      /Run task 5 train\(5\) again \(lost with ForkPoolWorker-\d+, pid \d+\)/,
    )
    const ended = await poolThat(api, 'train.py', ({ header }) => header.state === 'ended')
    assert.equal(ended.header.id, program?.header.id)
    assert.equal(ended.header.program?.exitCode, 0)
    assert.equal(api.view.badge, 0)
  })

  it('is left as it is when the person says no', async () => {
    const pool = await watch()
    answers.confirms = false
    answers.picks = (label) => label === 'Fail the task'
    await vscode.commands.executeCommand('unhang.rescuePool')
    assert.equal(answers.confirmations.length, 1)
    assert.equal((await stuckPool(api)).header.id, pool.header.id)
  })

  it('says so when there is nothing to rescue', async () => {
    await vscode.commands.executeCommand('unhang.rescuePool')
    assert.match(answers.notifications.at(-1)?.message ?? '', /nothing to rescue/)
  })

  it('shows its stack as a document with links, and takes it again', async () => {
    const pool = await watch()
    const program = api.sessions.catalog.programOf(pool)
    await vscode.commands.executeCommand('unhang.showStack', { kind: 'pool', poolId: program?.header.id })
    const document = vscode.window.activeTextEditor?.document
    assert.equal(document?.uri.scheme, 'unhang-stack')
    assert.match(document.getText(), /^train\.py, pid \d+\n[^]*Thread MainThread[^]*train\.py", line \d+, in <module>/)
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    )
    const own = links.find(({ target }) => target?.path.endsWith('/train.py'))
    assert.match(own?.target?.fragment ?? '', /^L\d+$/)
    const before = document.getText()
    await eventually('another time in it', async () => {
      await vscode.commands.executeCommand('unhang.refreshStack', document.uri)
      return document.getText() !== before
    })
  })

  it('is ended as a whole by Terminate, and its terminal says so', async () => {
    const pool = await watch()
    const program = api.sessions.catalog.programOf(pool)
    const pid = program?.header.program?.pid ?? 0
    await vscode.commands.executeCommand('unhang.terminatePool', { kind: 'pool', poolId: program?.header.id })
    await eventually('it is gone', () => !isAlive(pid))
    await poolThat(api, 'train.py', ({ header }) => header.state === 'ended')
  })
})

describe('A program that runs already', () => {
  let api: UnhangTestApi
  let answers: Answers
  let program: ChildProcess
  let pids: number[]

  before(async () => {
    api = await unhang()
  })
  beforeEach(async () => {
    answers = new Answers()
    api.setPrompts(answers)
    const folder = workspaceFolder().uri.fsPath
    await vscode.workspace.fs.writeFile(
      vscode.Uri.joinPath(workspaceFolder().uri, 'unwatched.py'),
      Buffer.from(
        [
          'import multiprocessing as mp, os, time',
          'def nap(n):',
          '    time.sleep(600)',
          'if __name__ == "__main__":',
          '    p = mp.Pool(2)',
          '    p.map_async(nap, range(2))',
          '    time.sleep(0.5)',
          '    with open("pids.part", "w") as file:',
          '        file.write(" ".join(str(pid) for pid in [os.getpid()] + [child.pid for child in ' +
            'mp.active_children()]))',
          '    os.rename("pids.part", "pids")',
          '    time.sleep(600)',
          '',
        ].join('\n'),
      ),
    )
    program = spawn('python3', ['unwatched.py'], { cwd: folder, stdio: 'ignore' })
    const written = await eventually('the program has its workers', () =>
      readFile(join(folder, 'pids'), 'utf8').catch(() => undefined),
    )
    await vscode.workspace.fs.delete(vscode.Uri.joinPath(workspaceFolder().uri, 'pids'))
    pids = written.split(' ').map(Number)
  })
  afterEach(async () => {
    // Its workers sleep in a task and would outlive it.
    for (const pid of pids)
      if (isAlive(pid) && (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('unwatched.py'))
        process.kill(pid, 'SIGKILL')
    await eventually('it is gone', () => pids.every((pid) => !isAlive(pid)))
    await endEverything(api)
  })

  it('is found in a live picker, looked at, and ended only after one question that names every pid', async () => {
    const main = pids[0] ?? 0
    answers.picks = (line) => line.includes(`pid ${main} `)
    await vscode.commands.executeCommand('unhang.attachProcess')
    assert.equal(answers.lines[0]?.[0], '# In this workspace')
    assert.match(answers.lines.flat().find((line) => line.includes(`pid ${main} `)) ?? '', /2 pool workers/)
    const attached = await eventually('it is in the view', () =>
      api.sessions.catalog.pools.find(({ header }) => header.kind === 'attached'),
    )
    assert.equal(attached.header.program?.readOnly, true)
    answers.confirms = false
    await vscode.commands.executeCommand('unhang.killPool', { kind: 'pool', poolId: attached.header.id })
    assert.equal(answers.confirmations.length, 1)
    for (const pid of pids) assert.match(answers.confirmations[0]?.detail ?? '', new RegExp(`pid ${pid}\\b`))
    for (const pid of pids) assert.ok(isAlive(pid))
    answers.confirms = true
    await vscode.commands.executeCommand('unhang.killPool', { kind: 'pool', poolId: attached.header.id })
    assert.equal(answers.confirmations.length, 2)
    await eventually('all of it is gone', () => pids.every((pid) => !isAlive(pid)))
    await eventually('its end is told', () => program.signalCode !== null)
    assert.equal(program.signalCode, 'SIGKILL')
  })

  it('is not ended by the way, with everything else', async () => {
    const main = pids[0] ?? 0
    answers.picks = (line) => line.includes(`pid ${main} `)
    await vscode.commands.executeCommand('unhang.attachProcess')
    await vscode.commands.executeCommand('unhang.terminateAll')
    for (const pid of pids) assert.ok(isAlive(pid))
  })
})
