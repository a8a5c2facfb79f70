import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as z from 'zod'
import { recogniseProcess } from '../../diagnosis'
import type { ProcessIdentity } from '../../processes'
import { errorCodes, type StackFrame, type ProcessStacks } from '../../protocol'
import { RequestError } from '../terms/requestError'
import type { AttachedProgram } from './attached/attachedProgram'
import { readNodeStack } from './stacks/nodeStack'
import { observedStacksSchema } from './observers/observerMessages'
import type { ProgramContext } from './context/programContext'
import { readSignalStack } from './stacks/signalStack'
import { sourceLines } from './stacks/sourceLines'
import type { WatchedProgram } from './watched/watchedProgram'

const execute = promisify(execFile)
/** `py-spy dump` takes some 25 ms; a machine under load has its time. */
const pySpyTimeoutMs = 10_000

/**
 * The stacks of a process: from the observer inside, by `faulthandler` on a signal when the interpreter does not answer
 * (or is a worker, which has no thread of ours), by py-spy where that is installed and the process is not watched.
 * @throws {@link RequestError} that says what was tried
 */
export async function stacksOf(
  pid: number,
  programs: readonly (WatchedProgram | AttachedProgram)[],
  context: ProgramContext,
): Promise<ProcessStacks> {
  const identity = await context.processes.identify(pid)
  const row = identity && (await context.processes.inspect(identity))
  if (identity === undefined || row === undefined || row.state === 'zombie')
    throw new RequestError(errorCodes.notFound, `There is no process ${pid}, so it has no stack.`)
  for (const program of programs) {
    if (!program.live || program.kind !== 'watched') continue
    const found = await ofWatched(program, pid, identity, context)
    if (found !== undefined) return found
  }
  const member = programs
    .filter(({ kind }) => kind === 'attached')
    .map((program) => program.findMember(pid))
    .find((found) => found !== undefined)
  const commandLine = (await context.processes.commandLine(identity)) ?? null
  const { kind, name } = recogniseProcess({ commandLine, command: row.command, parentCommandLine: null })
  if (kind === 'python') return byPySpy(pid, member?.name ?? name)
  throw new RequestError(
    errorCodes.wrongState,
    kind === 'node'
      ? `Process ${pid} (${name}) is not watched, and the stack of a Node.js program can only be read while it is: ` +
          'start it with "unhang run".'
      : `Process ${pid} (${name}) is by its name no Python and no Node.js program, and only their stacks can be read.`,
  )
}

async function ofWatched(
  program: WatchedProgram,
  pid: number,
  identity: ProcessIdentity,
  context: ProgramContext,
): Promise<ProcessStacks | undefined> {
  const parent = program.parentOf(pid)
  const member = program.findMember(pid)
  if (parent === undefined && member === undefined) return undefined
  // That pid is the program's word, be it a recorder's, a note's or an observer's: nothing is asked of a process that
  // is not proven its own.
  if (!(await program.owns(identity))) return undefined
  const name = member?.name ?? program.name
  const node = parent === undefined ? program.nodeProcess(identity) : undefined
  if (node !== undefined) return ofNode(node, name, identity, context)
  let note: string | null = null
  if (parent !== undefined) {
    try {
      const { threads } = await parent.link.ask('stacks', {}, observedStacksSchema)
      return {
        pid,
        name,
        source: 'observer',
        threads: threads.map(({ id, name: thread, frames }) => ({ id: String(id), name: thread, frames })),
        note,
      }
    } catch (error) {
      note = error instanceof Error ? error.message : String(error)
      // No look may have come so far yet.
      parent.read()
    }
  }
  const recorded = member?.recorded ?? parent?.processes.find(({ slot }) => slot === 0)
  const file = program.sessionFile(`stack-${pid}`)
  if (recorded === undefined || !program.mayAsk(recorded.stackSignal)) {
    throw new RequestError(
      errorCodes.wrongState,
      `${name} (pid ${pid}) cannot be looked into: ${note ?? (await whyNot(identity, context))}.`,
    )
  }
  const threads = await readSignalStack(file, { identity, name, signal: recorded.stackSignal }, context)
  if (threads === undefined)
    throw new RequestError(
      errorCodes.wrongState,
      `${name} (pid ${pid}) did not write its stacks: it is stopped, has closed our file, or has taken signal ` +
        `${recorded.stackSignal} for itself.`,
    )
  // `python train.py` names its script as it was written, up to Python 3.8.
  const placeOf = (frame: { file: string; line: number }) => ({
    file: isMadeUp(frame.file) ? frame.file : resolve(program.options.cwd, frame.file),
    line: frame.line,
  })
  const codeAt = await sourceLines(threads.flatMap(({ frames }) => frames.map(placeOf)))
  return {
    pid,
    name,
    source: 'faulthandler',
    note,
    threads: threads.map(({ id, current, frames }) => ({
      id,
      name: current ? 'MainThread' : id,
      frames: frames.map((frame) => ({ ...frame, code: codeAt(placeOf(frame)) })),
    })),
  }
}

async function whyNot(identity: ProcessIdentity, { processes }: ProgramContext): Promise<string> {
  const [commandLine, row] = await Promise.all([processes.commandLine(identity), processes.inspect(identity)])
  const { kind } = recogniseProcess({
    commandLine: commandLine ?? null,
    command: row?.command ?? '',
    parentCommandLine: null,
  })
  if (kind !== 'other') return 'no observer is inside, or it found no free signal'
  // A program can give itself any name.
  return (
    `by its name (${row?.command ?? 'unknown'}) it is no Python and no Node.js program, and only their ` +
    'stacks can be read'
  )
}

async function ofNode(
  { node, file }: NonNullable<ReturnType<WatchedProgram['nodeProcess']>>,
  name: string,
  identity: ProcessIdentity,
  context: ProgramContext,
): Promise<ProcessStacks> {
  const { frames, note } = await readNodeStack(node, identity, file, context)
  const named = frames.map((frame) => ({ ...frame, file: pathOf(frame.file) }))
  const codeAt = await sourceLines(named)
  // What is built into JavaScript has no file.
  const seen = named.map((frame): StackFrame => ({
    file: frame.file === '' ? 'native' : frame.file,
    line: frame.line,
    function: frame.function,
    code: codeAt(frame),
  }))
  return { pid: identity.pid, name, source: 'inspector', threads: [{ id: 'main', name: 'main', frames: seen }], note }
}

/** A module is named by its URL, a script by its path. */
function pathOf(file: string): string {
  try {
    return file.startsWith('file://') ? fileURLToPath(file) : file
  } catch {
    return file
  }
}

/** `<string>`, `<frozen importlib._bootstrap>` */
function isMadeUp(file: string): boolean {
  return file.startsWith('<')
}

const pySpySchema = z.array(
  z.object({
    thread_id: z.number(),
    thread_name: z.string().nullable().optional(),
    frames: z.array(z.object({ name: z.string(), filename: z.string(), line: z.number().int() })),
  }),
)

async function byPySpy(pid: number, name: string): Promise<ProcessStacks> {
  let output: string
  try {
    output = (
      await execute('py-spy', ['dump', '--json', '--nonblocking', '--pid', String(pid)], {
        timeout: pySpyTimeoutMs,
        maxBuffer: 16 * 1024 * 1024,
      })
    ).stdout
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new RequestError(
      errorCodes.wrongState,
      missing
        ? `Process ${pid} is not watched, so its stack can only be read by py-spy, which is not on PATH. Install ` +
            'it (pip install py-spy), or start the program with "unhang run".'
        : `py-spy could not read process ${pid}: ${(error as { stderr?: string }).stderr?.trim() ?? String(error)}`,
    )
  }
  const threads = pySpySchema.parse(JSON.parse(output))
  const placeOf = ({ filename, line }: { filename: string; line: number }) => ({ file: filename, line })
  const codeAt = await sourceLines(threads.flatMap(({ frames }) => frames.map(placeOf)))
  return {
    pid,
    name,
    source: 'py-spy',
    note: null,
    threads: threads.map(({ thread_id: id, thread_name: thread, frames }) => ({
      id: String(id),
      name: thread ?? String(id),
      frames: frames.map((frame) => ({
        file: frame.filename,
        line: frame.line,
        function: frame.name,
        code: codeAt(placeOf(frame)),
      })),
    })),
  }
}
