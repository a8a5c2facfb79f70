import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { recogniseProcess } from '../../diagnosis'
import type { ProcessIdentity } from '../../processes'
import { errorCodes, type GetStacks } from '../../protocol'
import { RequestError } from '../connection/requestHandlers'
import type { AttachedProgram } from './attachedProgram'
import { readNodeStack } from './nodeStack'
import { observedStacksSchema } from './observerMessages'
import type { ProgramContext } from './programContext'
import { readSignalStack } from './signalStack'
import type { WatchedProgram } from './watchedProgram'

const execute = promisify(execFile)
/** `py-spy dump` takes some 25 ms; a machine under load has its time. */
const pySpyTimeoutMs = 10_000

/**
 * The stacks of a process: from the observer inside, by `faulthandler` on a signal when the interpreter does not answer (or is a
 * worker, which has no thread of ours), by py-spy where that is installed and the process is not watched.
 * @throws {@link RequestError} that says what was tried
 */
export async function stacksOf(pid: number, watched: readonly WatchedProgram[], attached: readonly AttachedProgram[], context: ProgramContext): Promise<GetStacks.Result> {
  const identity = await context.processes.identify(pid)
  const row = identity && (await context.processes.inspect(identity))
  if (identity === undefined || row === undefined || row.state === 'zombie') throw new RequestError(errorCodes.notFound, `There is no process ${pid}, so it has no stack.`)
  for (const program of watched) {
    if (!program.live) continue
    const found = await ofWatched(program, pid, identity, context)
    if (found !== undefined) return found
  }
  const member = attached.find((program) => program.findMember(pid) !== undefined)?.findMember(pid)
  const commandLine = (await context.processes.commandLine(identity)) ?? null
  const { kind, name } = recogniseProcess({ commandLine, command: row.command, parentCommandLine: null })
  if (kind === 'python') return byPySpy(pid, member?.name ?? name)
  throw new RequestError(errorCodes.wrongState, kind === 'node'
    ? `Process ${pid} (${name}) is not watched, and the stack of a Node.js program can only be read while it is: start it with "unhang run".`
    : `Process ${pid} (${name}) is by its name no Python and no Node.js program, and only their stacks can be read.`)
}

async function ofWatched(program: WatchedProgram, pid: number, identity: ProcessIdentity, context: ProgramContext): Promise<GetStacks.Result | undefined> {
  const parent = program.parentOf(pid)
  const member = program.findMember(pid)
  if (parent === undefined && member === undefined) return undefined
  const name = member?.name ?? program.name
  const node = parent === undefined ? program.nodeProcess(identity) : undefined
  if (node !== undefined) return ofNode(node, name, identity, context)
  let note: string | null = null
  if (parent !== undefined) {
    try {
      const { threads } = await parent.link.ask('stacks', {}, observedStacksSchema)
      return { pid, name, source: 'observer', threads: threads.map(({ id, name: thread, frames }) => ({ id: String(id), name: thread, frames })), note }
    } catch (error) {
      note = error instanceof Error ? error.message : String(error)
    }
  }
  const recorded = member?.recorded ?? parent?.processes.find(({ slot }) => slot === 0)
  const file = program.sessionFile(`stack-${pid}`)
  if (recorded === undefined || !program.mayAsk(recorded.stackSignal) || file === undefined) {
    throw new RequestError(errorCodes.wrongState, `${name} (pid ${pid}) cannot be looked into: ${note ?? (await whyNot(identity, context))}.`)
  }
  const threads = await readSignalStack(file, { identity, name, signal: recorded.stackSignal }, context)
  if (threads === undefined) throw new RequestError(errorCodes.wrongState, `${name} (pid ${pid}) did not write its stacks: it is stopped, has closed our file, or has taken signal ${recorded.stackSignal} for itself.`)
  const lines = new Map<string, readonly string[]>()
  for (const { file: source } of threads.flatMap(({ frames }) => frames)) if (!lines.has(source)) lines.set(source, await linesOf(source))
  return {
    pid, name, source: 'faulthandler', note,
    threads: threads.map(({ id, current, frames }) => ({
      id, name: current ? 'MainThread' : id,
      frames: frames.map((frame) => ({ ...frame, code: lines.get(frame.file)?.[frame.line - 1]?.trim() ?? '' })),
    })),
  }
}

async function whyNot(identity: ProcessIdentity, { processes }: ProgramContext): Promise<string> {
  const [commandLine, row] = await Promise.all([processes.commandLine(identity), processes.inspect(identity)])
  const { kind } = recogniseProcess({ commandLine: commandLine ?? null, command: row?.command ?? '', parentCommandLine: null })
  if (kind !== 'other') return 'no observer is inside, or it found no free signal'
  // A program can give itself any name.
  return `by its name (${row?.command ?? 'unknown'}) it is no Python and no Node.js program, and only their stacks can be read`
}

async function ofNode({ node, file }: NonNullable<ReturnType<WatchedProgram['nodeProcess']>>, name: string, identity: ProcessIdentity, context: ProgramContext): Promise<GetStacks.Result> {
  const { frames, note } = await readNodeStack(node, identity, file, context)
  const seen: GetStacks.Frame[] = []
  const lines = new Map<string, readonly string[]>()
  for (const { file: named, line, function: called } of frames) {
    const path = pathOf(named)
    if (!lines.has(path)) lines.set(path, isAbsolute(path) ? await linesOf(path) : [])
    // What is built into JavaScript has no file.
    seen.push({ file: path === '' ? 'native' : path, line, function: called, code: lines.get(path)?.[line - 1]?.trim() ?? '' })
  }
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

async function linesOf(file: string): Promise<readonly string[]> {
  return readFile(file, 'utf8').then((text) => text.split('\n'), () => [])
}

const pySpySchema = z.array(z.object({
  thread_id: z.number(), thread_name: z.string().nullable().optional(),
  frames: z.array(z.object({ name: z.string(), filename: z.string(), line: z.number().int() })),
}))

async function byPySpy(pid: number, name: string): Promise<GetStacks.Result> {
  let output: string
  try {
    output = (await execute('py-spy', ['dump', '--json', '--nonblocking', '--pid', String(pid)], { timeout: pySpyTimeoutMs, maxBuffer: 16 * 1024 * 1024 })).stdout
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new RequestError(errorCodes.wrongState, missing
      ? `Process ${pid} is not watched, so its stack can only be read by py-spy, which is not on PATH. Install it (pip install py-spy), or start the program with "unhang run".`
      : `py-spy could not read process ${pid}: ${(error as { stderr?: string }).stderr?.trim() ?? String(error)}`)
  }
  const threads = pySpySchema.parse(JSON.parse(output))
  const sources = new Map<string, readonly string[]>()
  for (const { filename } of threads.flatMap(({ frames }) => frames)) if (!sources.has(filename)) sources.set(filename, await linesOf(filename))
  return {
    pid, name, source: 'py-spy', note: null,
    threads: threads.map(({ thread_id: id, thread_name: thread, frames }) => ({
      id: String(id), name: thread ?? String(id),
      frames: frames.map(({ name: caller, filename, line }) => ({ file: filename, line, function: caller, code: sources.get(filename)?.[line - 1]?.trim() ?? '' })),
    })),
  }
}
