import * as assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import * as vscode from 'vscode'
import type { PoolRecord } from '../../../src/extension/model/poolStore'
import type {
  Choice,
  ChoiceHeading,
  Confirmation,
  LiveChoices,
  Prompts,
  Severity,
} from '../../../src/extension/prompts/prompts'
import type { UnhangTestApi } from '../../../src/extension/testApi'
import type { WorkerSnapshot } from '../../../src/protocol'

/** What `activate` returns in a test window. */
export async function unhang(): Promise<UnhangTestApi> {
  const extension = vscode.extensions.getExtension<UnhangTestApi | undefined>('unhang.unhang')
  const api = await extension?.activate()
  assert.ok(api, 'the extension returned no test interface; is this a test window?')
  return api
}

/** The folder that is open; the tests own it, it is a copy. */
export function workspaceFolder(): vscode.WorkspaceFolder {
  const [folder] = vscode.workspace.workspaceFolders ?? []
  assert.ok(folder, 'no folder is open')
  return folder
}

/** Waits for something to become true; a busy machine takes its time, a broken one the whole of it. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) assert.fail(`${what}: not within ${timeoutMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export interface Notification {
  readonly severity: Severity
  readonly message: string
  readonly actions: readonly string[]
}

/** Stands in for the person: keeps what was said and asked, and answers as a test says. */
export class Answers implements Prompts {
  readonly notifications: Notification[] = []
  readonly confirmations: Confirmation[] = []
  readonly offered: Choice<unknown>[][] = []
  /** What the live pickers showed when they closed. */
  readonly lines: string[][] = []
  /** What is typed into an input box. */
  types: string | undefined = undefined
  /** Whether to go on when a question is asked. */
  confirms = true
  /** Which of the choices to take. */
  picks: (label: string) => boolean = () => false
  /** Which action of a notification to take. */
  takes: (notification: Notification) => string | undefined = () => undefined

  confirm(confirmation: Confirmation): Promise<boolean> {
    this.confirmations.push(confirmation)
    return Promise.resolve(this.confirms)
  }

  async pickOne<T>(choices: Promise<readonly Choice<T>[]> | readonly Choice<T>[]): Promise<T | undefined> {
    const list = await choices
    this.offered.push([...list])
    return list.find(({ label }) => this.picks(label))?.value
  }

  pickMany<T>(choices: readonly Choice<T>[]): Promise<readonly T[] | undefined> {
    this.offered.push([...choices])
    return Promise.resolve(choices.filter(({ label }) => this.picks(label)).map(({ value }) => value))
  }

  /** Waits for a line to take, as a person would who knows what to look for. */
  async pickLive<T>(choices: LiveChoices<T>): Promise<T | undefined> {
    let shown: readonly (Choice<T> | ChoiceHeading)[] = []
    const picker = choices((lines) => {
      shown = lines
    })
    try {
      return (
        await eventually('a line to take', () =>
          shown.find(
            (line): line is Choice<T> => 'label' in line && this.picks(`${line.label} ${line.description ?? ''}`),
          ),
        )
      ).value
    } finally {
      this.lines.push(
        shown.map((line) => ('heading' in line ? `# ${line.heading}` : `${line.label} ${line.description ?? ''}`)),
      )
      picker.dispose()
    }
  }

  input(): Promise<string | undefined> {
    return Promise.resolve(this.types)
  }

  notify(severity: Severity, message: string, actions: readonly string[]): Promise<string | undefined> {
    const notification = { severity, message, actions }
    this.notifications.push(notification)
    return Promise.resolve(this.takes(notification))
  }
}

/** How often tasks.json is written again until VS Code has seen it: its file watcher may still be starting. */
const rewriteMs = 3_000

/** Replaces tasks.json and waits until VS Code knows these tasks, as they are now. */
export async function writeTasks(...tasks: readonly Record<string, unknown>[]): Promise<void> {
  const uri = vscode.Uri.joinPath(workspaceFolder().uri, '.vscode', 'tasks.json')
  const wanted = tasks.map((task) => ({ type: 'pool', problemMatcher: [], ...task }))
  const content = Buffer.from(JSON.stringify({ version: '2.0.0', tasks: wanted }, undefined, 2))
  let writtenAt = 0
  await eventually('VS Code reads tasks.json', async () => {
    if (Date.now() - writtenAt > rewriteMs) {
      await vscode.workspace.fs.writeFile(uri, content)
      writtenAt = Date.now()
    }
    const configured = vscode.workspace.getConfiguration('tasks', uri).get<unknown>('tasks')
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(configured ?? null)), JSON.parse(JSON.stringify(wanted))))
      return false
    const known = (await vscode.tasks.fetchTasks({ type: 'pool' })).map(({ name }) => name)
    return known.length === tasks.length && tasks.every(({ label }) => known.includes(String(label)))
  })
}

/** A pool task that is running in its terminal. */
export interface Run {
  readonly execution: vscode.TaskExecution
  /** The exit code of its terminal. */
  readonly exitCode: Promise<number | undefined>
}

/** Runs a pool task as *Tasks: Run Task* does. */
export async function runTask(label: string): Promise<Run> {
  const task = (await vscode.tasks.fetchTasks({ type: 'pool' })).find(({ name }) => name === label)
  assert.ok(task, `no task ${label}`)
  let end: (code: number | undefined) => void = () => undefined
  const exitCode = new Promise<number | undefined>((resolve) => {
    end = resolve
  })
  const subscription = vscode.tasks.onDidEndTaskProcess(({ execution: ended, exitCode: code }) => {
    if (ended.task.name !== label) return
    subscription.dispose()
    end(code)
  })
  return { execution: await vscode.tasks.executeTask(task), exitCode }
}

/** Waits for a pool to be there, by its name and a condition. */
export async function poolThat(
  api: UnhangTestApi,
  name: string,
  condition: (pool: PoolRecord) => boolean = () => true,
): Promise<PoolRecord> {
  return eventually(`a pool ${name}`, () =>
    api.sessions.catalog.pools.find((pool) => pool.header.name === name && condition(pool)),
  )
}

export function liveWorkers(pool: PoolRecord): WorkerSnapshot[] {
  return [...pool.workers.values()].filter((worker) => worker.status !== 'exited')
}

/** Whether a process exists and is no zombie waiting to be collected. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Ends and removes every pool, so that the next test starts with an empty view. */
export async function endEverything(api: UnhangTestApi): Promise<void> {
  for (const session of api.sessions.all) {
    const live = session.store.pools.filter(({ header }) => header.state !== 'ended')
    if (live.length > 0) {
      await session.request('unhang/shutdown', {
        targets: live.map(({ header }) => ({ kind: 'pool', poolId: header.id })),
        mode: 'kill',
        askedBy: 'user',
      })
    }
    await eventually('every pool has ended', () => session.store.pools.every(({ header }) => header.state === 'ended'))
    // A program takes the pools in it along.
    const alone = session.store.pools.filter(({ header }) => header.programId === null)
    for (const { header } of alone) await session.request('unhang/removePool', { poolId: header.id })
    await eventually('every pool is gone', () => session.store.pools.length === 0)
  }
  for (const terminal of vscode.window.terminals) terminal.dispose()
}

/** Sleeps for a day, whatever the item: a worker that is there until somebody ends it. */
export const sleeper = { command: ['sleep', '86400'], items: ['a', 'b'], processes: 2, stuckAfterMs: 600_000 }

/** Ignores SIGTERM, as the program of seeds/003 does. */
export const stubborn = {
  command: ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.2; done'],
  items: ['only'],
  processes: 1,
  stuckAfterMs: 600_000,
}
