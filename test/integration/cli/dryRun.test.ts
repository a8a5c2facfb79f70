import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endpointOf } from '../../../src/discovery'
import type { ResultOf } from '../../../src/protocol'
import { lives, until, Workspace, type RunningCli } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(() => workspace.dispose())

async function signalsSent(): Promise<string> {
  const { killsFile } = await endpointOf(workspace.folder, { UNHANG_RUNTIME_DIR: workspace.runtimeDirectory })
  return readFile(join(dirname(killsFile), 'kills.jsonl'), 'utf8').catch(() => '')
}

async function planOf(...args: string[]): Promise<ResultOf<'unhang/planShutdown'>['plans']> {
  const { code, stdout, stderr } = await workspace.run(...args, '--dry-run', '--json')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return (JSON.parse(stdout) as ResultOf<'unhang/planShutdown'>).plans
}

/** A shell with two children, of which one ignores SIGTERM, until all three are there. */
async function runScript(): Promise<{ run: RunningCli; pids: number[] }> {
  await workspace.write(
    'waits.sh',
    'sleep 1000 &\nsh -c \'trap "" TERM; echo ready; exec sleep 1000\' &\nwait\ntouch marker\n',
  )
  const run = workspace.start(['run', '--name', 'Waits', '--', 'bash', 'waits.sh'])
  await until('the child that ignores SIGTERM', () => (run.stdout.includes('ready') ? true : undefined))
  const pids = await until('its three processes', async () => {
    const [plan] = await planOf('terminate', 'Waits')
    const ignores = plan?.processes.some(({ command, answer }) => command === 'sleep' && answer.startsWith('ignores'))
    return plan?.processes.length === 3 && ignores ? plan.processes.map(({ pid }) => pid) : undefined
  })
  return { run, pids }
}

describe.skipIf(process.platform !== 'linux')('--dry-run', () => {
  it('tells the order and how each process will answer, and does nothing', { retry: 0 }, async () => {
    const {
      run,
      pids: [root, ...children],
    } = await runScript()
    const [plan] = await planOf('terminate', 'Waits')
    expect(
      plan?.processes.map(({ step, pid, signals, after }) => ({ step, pid, signals, after: after?.pid ?? null })),
    ).toEqual([
      { step: 1, pid: root, signals: ['SIGTERM'], after: null },
      ...children.map((pid) => ({ step: 2, pid, signals: ['SIGTERM'], after: root })),
    ])
    expect(plan?.processes.map(({ answer }) => answer).sort()).toEqual([
      'ends at SIGTERM',
      'ends at SIGTERM',
      'ignores SIGTERM: it will be left, with what is below it',
    ])
    const [kill] = await planOf('kill', 'Waits')
    expect(kill?.processes.map(({ signals, answer }) => `${signals.join()} ${answer}`)).toEqual(
      Array.from({ length: 3 }, () => 'SIGKILL ends at once'),
    )
    const text = await workspace.run('terminate', 'Waits', '--sigkill', '--dry-run')
    expect(text.stdout).toMatch(/^program Waits \(program-\w+, pid \d+\): 3 processes, in this order/)
    expect(text.stdout).toMatch(
      / {2}2\. +\d+ +sleep-\d+ +sleep +SIGTERM, SIGKILL +after MainProcess: ignores SIGTERM: SIGKILL follows/,
    )
    for (const pid of [root ?? 0, ...children]) expect(await lives(pid)).toBe(true)
    expect(await signalsSent()).toBe('')

    // And then it is done in that order.
    const { code } = await workspace.run('terminate', 'Waits', '--sigkill')
    expect(code).toBe(0)
    expect((await run.finished).signal).toBe('SIGTERM')
    const order = (await signalsSent())
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { identity: { pid: number } }).identity.pid)
    expect(order[0]).toBe(root)
  })

  it('of one worker says what its pool makes of it', async () => {
    await workspace.writeTasks([
      { label: 'Sleep', command: ['sleep', '${item}'], items: ['1000', '1001'], processes: 2 },
    ])
    const pool = workspace.start(['pool', 'Sleep'])
    const {
      workers: [worker],
    } = await workspace.untilPool(
      'Sleep',
      ({ workers }) => workers.filter(({ status }) => status === 'busy').length === 2,
    )
    const [plan] = await planOf('kill', String(worker?.pid))
    expect(plan?.consequence).toMatch(/^The pool goes on with its next item; .*1000.* is lost\.$/)
    expect(plan?.processes).toMatchObject([{ pid: worker?.pid, signals: ['SIGKILL'] }])
    await workspace.run('kill', 'Sleep')
    await pool.finished
  })

  it('of an attached program asks nothing, as nothing is done', async () => {
    const child = spawn('sleep', ['1000'], { cwd: workspace.folder, stdio: 'ignore' })
    try {
      await workspace.run('attach', String(child.pid))
      const [plan] = await planOf('terminate', String(child.pid))
      expect(plan?.processes).toMatchObject([{ pid: child.pid, signals: ['SIGTERM'], answer: 'ends at SIGTERM' }])
      expect(await lives(child.pid ?? 0)).toBe(true)
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  it('of what is not there says so, as without it', async () => {
    const { code, stderr } = await workspace.run('terminate', 'Nothing', '--dry-run')
    expect(code).not.toBe(0)
    expect(stderr).toContain('nothing here is called Nothing')
  })
})
