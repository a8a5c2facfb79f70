import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeFolder } from '../../files'
import { isAlive, programName, splitCommandLine } from '../../processes'
import { ownPidNamespace } from '../../discovery'
import {
  errorCodes,
  type ProgramSession,
  type ParamsOf,
  type ProcessStacks,
  type ListedProcess,
  type ResultOf,
  type AttachedProcess,
  type LaunchedPool,
} from '../../protocol'
import { findObserverPath } from '../../runtimes'
import { RequestError } from '../terms/requestError'
import { LaunchError } from '../terms/launchError'
import { AttachedProgram } from './attached/attachedProgram'
import { listProcesses } from './listProcesses'
import type { ProgramContext } from './context/programContext'
import { stacksOf } from './findStacks'
import { WatchedProgram, type WatchedProgramOptions } from './watched/watchedProgram'
import { WatchSession } from './observers/watchSession'

/** A client that asked for a session and never started its program has died. */
const startWithinMs = 30_000

/** A program of tasks.json, checked: what to start, and with what. */
export interface ProgramLaunch {
  readonly command: string | readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly name: string | undefined
  readonly label: string | null
  readonly watch: WatchedProgramOptions['watch']
}

/** The client that reports the start of a program: its own process, and the namespace that its pids are of. */
interface Starter {
  readonly processId: number | undefined
  readonly pidNamespace: string | undefined
}

/**
 * The user's own programs, watched and attached, and the requests on them. A request for what does not exist or is not
 * possible throws `RequestError`.
 */
export class Programs {
  readonly #context: ProgramContext

  readonly #programs = new Map<string, WatchedProgram | AttachedProgram>()

  constructor(context: ProgramContext) {
    this.#context = context
  }

  /** Folders of a host that died: its programs go on without being watched. */
  async removeStale(): Promise<void> {
    const { directory, log } = this.#context
    const names = await readdir(directory)
    await Promise.all(
      names
        .filter((name) => /^program-[0-9a-f]{6}$/.test(name))
        .map((name) =>
          removeFolder(join(directory, name)).catch((error: unknown) => {
            log.warn('The folder of an old session was not removed.', { name, error: String(error) })
          }),
        ),
    )
  }

  async run({ argv, cwd, env, options }: ParamsOf<'unhang/runProgram'>): Promise<ProgramSession> {
    const { program, session } = await this.#open(
      { argv, cwd, watch: options, owned: false, label: null },
      options.name ?? programName(argv),
    )
    setTimeout(() => {
      if (program.root === undefined && program.live) void program.abandon()
    }, startWithinMs).unref()
    const { message } = program.header().program ?? {}
    return {
      programId: program.id,
      name: program.name,
      env: session.environment(env, argv),
      ...(message == null ? {} : { notObserved: message }),
    }
  }

  async started(
    { programId, pid }: ParamsOf<'unhang/programStarted'>,
    { processId, pidNamespace }: Starter,
  ): Promise<void> {
    const program = this.#program(programId)
    const identity = await this.#context.processes.identify(pid)
    const row = identity && (await this.#context.processes.inspect(identity))
    // A program that is over already: its exit is told in a moment.
    if (identity === undefined || row === undefined) return
    if (pidNamespace !== ownPidNamespace()) {
      throw new RequestError(
        errorCodes.wrongState,
        `Whether ${pid} is the same process to the client and to this host is not known (pid namespaces ` +
          `${pidNamespace ?? 'unknown'} and ${ownPidNamespace() ?? 'unknown'}), so it is not taken for ` +
          `${program.name}.`,
      )
    }
    if (row.parentPid !== processId)
      throw new RequestError(
        errorCodes.wrongState,
        `Process ${pid} is no child of the client that says it started it, so it is not taken for ${program.name}.`,
      )
    if (program.root === undefined) await program.started(identity)
  }

  async exited({
    programId,
    exitCode,
    signal,
  }: ParamsOf<'unhang/programExited'>): Promise<ResultOf<'unhang/programExited'>> {
    const program = this.#program(programId)
    const { root } = program
    if (root !== undefined && (await isAlive(this.#context.processes, root)))
      throw new RequestError(
        errorCodes.wrongState,
        `Process ${root.pid} of ${program.name} still runs, so it is not taken for ended.`,
      )
    program.exited({ exitCode, signal: signal as NodeJS.Signals | null })
    return { endedBy: program.endedBy }
  }

  /** Starts a program for a task; its output goes to whoever follows. */
  async launch({ command, cwd, env, name, label, watch }: ProgramLaunch): Promise<LaunchedPool> {
    const argv = typeof command === 'string' ? [command] : command
    const words = typeof command === 'string' ? splitCommandLine(command) : command
    const { program, session } = await this.#open({ argv, cwd, watch, owned: true, label }, name ?? programName(words))
    const [file = '', ...args] = argv
    // A pipe is no terminal: without this, what Python prints before a hang would stay in its buffer.
    const unbuffered = env.PYTHONUNBUFFERED === undefined ? { PYTHONUNBUFFERED: '1' } : {}
    const child = spawn(file, args, {
      cwd,
      env: {
        ...env,
        ...unbuffered,
        ...session.environment(env, words),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: typeof command === 'string',
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        program.output.push({ worker: program.name, taskId: null, stream, chunk })
      })
    const { pid } = child
    if (pid === undefined) {
      const error = await new Promise<Error>((resolve) => {
        child.once('error', resolve)
      })
      await program.abandon()
      this.#context.pools.remove(program.id)
      throw new LaunchError(label === null ? 'The program' : `"${label}"`, [
        {
          path: ['program'],
          code: 'not-found',
          message:
            `"program" cannot be started: ${error.message}. Write a program of PATH, or its path ` +
            'relative to "cwd".',
        },
      ])
    }
    child.on('error', (error) => {
      this.#context.log.warn('A program had an error.', { program: program.name, error: error.message })
    })
    child.once('exit', (exitCode, signal) => {
      program.exited({ exitCode, signal })
    })
    const identity = await this.#context.processes.identify(pid)
    if (identity !== undefined) {
      // Written down before anything is awaited: an exit that nobody hears of would stay in the ledger.
      if (child.exitCode === null && child.signalCode === null)
        this.#context.ledger()?.started({
          ...identity,
          poolId: program.id,
          pool: program.name,
          kind: 'program',
          worker: 'MainProcess',
          task: argv.join(' '),
          marker: `${program.id}/main`,
          startedAt: program.startedAt,
        })
      child.once('exit', () => {
        this.#context.ledger()?.exited(identity)
      })
      await program.started(identity)
    }
    return { poolId: program.id, name: program.name, total: 0, warnings: [] }
  }

  async look(poolId: string | undefined): Promise<void> {
    const programs = this.#live
    const chosen =
      poolId === undefined
        ? programs
        : programs.filter((program) => program.id === poolId || program.pools.some(({ id }) => id === poolId))
    await Promise.all(chosen.map((program) => program.look()))
  }

  async rescue({ poolId, actions, askedBy }: ParamsOf<'unhang/rescue'>): Promise<ResultOf<'unhang/rescue'>> {
    const listed = this.#context.pools.get(poolId)
    const program = [...this.#programs.values()].find(
      ({ id, pools }) => id === poolId || pools.some((pool) => pool.id === poolId),
    )
    const part = program === undefined ? undefined : [program, ...program.pools].find(({ id }) => id === poolId)
    if (program === undefined || part === undefined)
      throw new RequestError(
        errorCodes.wrongState,
        `${listed.name} is no pool of a watched program, so there is nothing to rescue: its lost tasks are in its ` +
          'list of failures.',
      )
    // Whatever was true when somebody read it, it must be true now.
    await program.look()
    const outcomes: ResultOf<'unhang/rescue'>['outcomes'] = []
    for (const action of actions) {
      const outcome = await program.rescue(part, action, askedBy)
      this.#context.log.info('A rescue.', { pool: part.name, askedBy, ...action, ...outcome })
      outcomes.push(outcome)
    }
    await program.look()
    return { outcomes }
  }

  stacks(pid: number): Promise<ProcessStacks> {
    return stacksOf(pid, [...this.#programs.values()], this.#context)
  }

  async attach(pid: number): Promise<AttachedProcess> {
    this.#context.mustBeOpen()
    for (const program of this.#live) {
      if (program.kind === 'watched' && program.findMember(pid) !== undefined)
        throw new RequestError(
          errorCodes.wrongState,
          `Process ${pid} belongs to ${program.name}, which is watched already.`,
        )
    }
    const attached = this.#live.filter((program) => program.kind === 'attached')
    const known = attached.find((program) => program.root.pid === pid)
    if (known === undefined) await this.#mustBelongToNone(pid, attached)
    const program = known ?? (await AttachedProgram.open(newId(), pid, this.#context))
    if (known === undefined) this.#add(program)
    await program.look()
    return { programId: program.id, name: program.name, pids: program.pids() }
  }

  async confirm({ poolId, pids }: ParamsOf<'unhang/confirmAttached'>): Promise<void> {
    const program = this.#programs.get(poolId)
    if (program?.kind !== 'attached')
      throw new RequestError(errorCodes.notFound, `There is no attached program ${poolId}.`)
    await program.confirm(pids)
  }

  processes(): Promise<ListedProcess[]> {
    return listProcesses(this.#context)
  }

  /** The programs in people's terminals go on, unwatched. */
  async leave(): Promise<void> {
    await Promise.all(this.#live.map((program) => program.leave()))
  }

  /** What it has started since the last look belongs to an attached program as well. */
  async #mustBelongToNone(pid: number, attached: readonly AttachedProgram[]): Promise<void> {
    await Promise.all(attached.map((program) => program.look()))
    const owner = attached.find((program) => program.live && program.findMember(pid) !== undefined)
    if (owner !== undefined)
      throw new RequestError(
        errorCodes.wrongState,
        `Process ${pid} belongs to ${owner.name} (pid ${owner.root.pid}), which is attached already. Look at it there.`,
      )
  }

  async #open(
    options: WatchedProgramOptions,
    name: string,
  ): Promise<{ program: WatchedProgram; session: WatchSession }> {
    const context = this.#context
    context.mustBeOpen()
    const id = newId()
    const session = await WatchSession.open(
      {
        directory: context.directory,
        id,
        observerPath: findObserverPath(__dirname),
        recordArguments: options.watch.recordArguments ?? true,
        stackSignal: options.watch.stackSignal ?? null,
      },
      (socket, token) => {
        program.connected(socket, token)
      },
      () => {
        program.noted()
      },
    )
    const program = new WatchedProgram(id, name, options, session, context)
    this.#add(program)
    context.log.info('A program is watched.', { id, name })
    return { program, session }
  }

  get #live(): (WatchedProgram | AttachedProgram)[] {
    return [...this.#programs.values()].filter((program) => program.live)
  }

  /** Programs that have ended and have left the list of pools are forgotten. */
  #add(program: WatchedProgram | AttachedProgram): void {
    const { pools } = this.#context
    for (const [id, old] of this.#programs) if (!old.live && !pools.has(id)) this.#programs.delete(id)
    this.#programs.set(program.id, program)
    pools.add(program)
  }

  #program(id: string): WatchedProgram {
    const program = this.#programs.get(id)
    if (program?.kind !== 'watched') throw new RequestError(errorCodes.notFound, `There is no watched program ${id}.`)
    return program
  }
}

function newId(): string {
  return `program-${randomBytes(3).toString('hex')}`
}
