import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostConnection } from '../../../../src/discovery'
import { newest } from '../../runtimes/pythons'
import { RealTerminal } from '../../cli/pseudoTerminal'
import { Workspace } from '../../cli/workspace'
import { Complaints } from './complaints'
import { CpuLoad } from './cpuLoad'
import { connectHost, MarkedProgram, statusOf } from './markedProgram'
import { byHand, timeoutMs, wrongInAnyRun } from './runs'

/** The next line is not run either where something else than `unhang terminate` of a program ends it. */

const options = { retry: 0, timeout: timeoutMs }
/** What ends is not waited for any longer. */
const graceMs = 10_000
/** Later than the program has started on a loaded machine; it is not ended before it has said that it runs. */
const laterMs = 4000

let load: CpuLoad | undefined
beforeAll(() => {
  load = byHand ? new CpuLoad() : undefined
})
afterAll(async () => {
  await load?.end()
})

interface Given {
  readonly workspace: Workspace
  readonly host: HostConnection
  readonly program: MarkedProgram
  readonly complaints: Complaints
}

/** Several of these at once do not disturb each other: each has a workspace and a host of its own. */
async function alone(end: (given: Given) => Promise<void>): Promise<string[]> {
  return await wrongInAnyRun(async () => {
    const workspace = await Workspace.create()
    const host = await connectHost(workspace)
    const program = await MarkedProgram.create(workspace)
    const complaints = new Complaints()
    try {
      await end({ workspace, host, program, complaints })
    } catch (error) {
      throw new Error(`${String(error)}\n${program.story()}`, { cause: error })
    } finally {
      host.dispose()
      await program.end()
      await workspace.dispose()
    }
    return complaints.all
  })
}

describe('--on-stuck terminate', () => {
  it.each([
    ['Python', newest.path, 'unread.py'],
    ['Node', 'node', 'unread.cjs'],
  ])('of a program whose output is not read: %s', options, async (_, ...command) => {
    expect(
      await alone(async ({ host, program, complaints }) => {
        const cli = program.run(command, [
          '--on-stuck',
          'terminate',
          '--stuck-after-ms',
          '1000',
          '--grace-ms',
          String(graceMs),
        ])
        await program.untilWaits(1)
        const ended = await cli.finished
        await complaints.expectEnded(program, 1, host.endpoint.killsFile)
        complaints.expectThat('exit status of `unhang run`', statusOf(ended), 143)
        complaints.expectThat('stdout', ended.stdout, '')
      }),
    ).toEqual([])
  })
})

describe('an attached program', () => {
  it.each([
    ['of Python', [newest.path, 'processes.py', 'fork'], 3, 143],
    ['of Python, three levels', [newest.path, 'watches_parent.py', '0'], 7, 3],
    ['of Node', ['node', 'fork.cjs'], 3, 143],
    ['of bash', ['bash', '-c', 'set -e; ./server & ./server & wait; echo next >> marker'], 2, 143],
  ] as const)('%s', options, async (_, command, waits, status) => {
    expect(
      await alone(async ({ workspace, host, program, complaints }) => {
        const started = program.start(command)
        await program.untilWaits(waits)
        const pid = String(program.root.pid)
        complaints.expectThat('exit code of attach', (await workspace.run('attach', pid, '--yes')).code, 0)
        const { code, stdout } = await workspace.run('terminate', pid, '--yes', '--grace-ms', String(graceMs))
        complaints.expectThat('exit code and issues', [code, stdout], [0, ''])
        await complaints.expectEnded(program, waits, host.endpoint.killsFile)
        complaints.expectThat('exit status of the program', statusOf(await started.finished), status)
      }),
    ).toEqual([])
  })
})

it('a program in a terminal that is closed', options, async () => {
  expect(
    await alone(async ({ workspace, host, program, complaints }) => {
      const { command } = workspace.commandLine(['run', '--', newest.path, 'processes.py', 'spawn'])
      const variables = Object.entries(program.environment).map(([name, value]) => `${name}=${value}`)
      const terminal = new RealTerminal(workspace, [], 100, ['env', '-C', program.folder, ...variables, ...command])
      await program.untilWaits(3)
      terminal.close()
      complaints.expectThat('exit status of `unhang run`', await terminal.ended, 128 + 1)
      await complaints.expectEnded(program, 3, host.endpoint.killsFile)
    }),
  ).toEqual([])
})

/** What ends a pool task, once its processes run; the terminal that follows it is `unhang pool`. */
interface TaskEnd {
  readonly how: string
  /** What the task has more. */
  readonly task?: Readonly<Record<string, unknown>>
  readonly end: (given: Given & { readonly interrupt: () => void }) => Promise<void>
}

const justWait = (): Promise<void> => Promise.resolve()
const terminate: TaskEnd = {
  how: 'unhang terminate',
  end: async ({ workspace, complaints }) => {
    const { code, stdout } = await workspace.run('terminate', 'Task')
    complaints.expectThat('exit code and issues of terminate', [code, stdout], [0, ''])
  },
}
const hostStop: TaskEnd = {
  how: 'unhang host stop',
  end: async ({ workspace }) => {
    await workspace.run('host', 'stop')
  },
}
const interrupt: TaskEnd = {
  how: 'Ctrl-C',
  end: (given) => {
    given.interrupt()
    return justWait()
  },
}
const timeout: TaskEnd = { how: 'timeoutMs', task: { timeoutMs: laterMs }, end: justWait }
const onStuck: TaskEnd = { how: 'onStuck', task: { onStuck: 'terminate', stuckAfterMs: laterMs }, end: justWait }
const preemption: TaskEnd = {
  how: 'preemption',
  task: { termination: { platform: 'slurm', gracePeriodMs: 3000 } },
  end: async ({ workspace }) => {
    process.kill(await workspace.hostPid(), 'SIGTERM')
  },
}

/** Each process below `level` tells whether the one above it had ended before it was signalled. */
const watchesParents = (level: 0 | 1): string[] => [newest.path, 'watches_parent.py', String(level)]
const kinds = [
  {
    kind: 'a shell command',
    definition: { command: './server; echo next >> marker', items: [1] },
    waits: 1,
    ends: [terminate],
  },
  {
    kind: 'a command with children',
    definition: { command: watchesParents(0), items: [1] },
    waits: 7,
    ends: [terminate, timeout],
  },
  {
    kind: 'a program with children in a shell',
    definition: { command: `${watchesParents(1).join(' ')}; echo next >> marker`, items: [1] },
    waits: 3,
    ends: [terminate, hostStop, interrupt, timeout, onStuck, preemption],
  },
  {
    kind: 'a program of the host',
    definition: { program: [newest.path, 'processes.py', 'fork'] },
    waits: 3,
    ends: [terminate, hostStop, interrupt],
  },
]

describe.each(kinds)('a pool task with $kind', ({ definition, waits, ends: waysToEnd }) => {
  it.each(waysToEnd)('ended by $how', options, async ({ task = {}, end }) => {
    expect(
      await alone(async (given) => {
        const { workspace, host, program, complaints } = given
        const tasks = [
          {
            label: 'Task',
            cwd: program.folder,
            env: program.environment,
            gracePeriodMs: graceMs,
            ...definition,
            ...task,
          },
        ]
        await workspace.writeTasks(tasks)
        const cli = workspace.start(['pool', 'Task'])
        await program.untilWaits(waits)
        await end({
          ...given,
          interrupt: () => {
            cli.signal('SIGINT')
          },
        })
        await complaints.expectEnded(program, waits, host.endpoint.killsFile)
        if (statusOf(await cli.finished) === 0) complaints.all.push('`unhang pool` ended with 0')
      }),
    ).toEqual([])
  })
})
