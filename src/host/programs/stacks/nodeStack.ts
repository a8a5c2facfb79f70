import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { readOwnFile, writeOwnFile } from '../../../files'
import { isAlive, type ProcessIdentity } from '../../../processes'
import { errorCodes, type StackFrame } from '../../../protocol'
import { RequestError } from '../../terms/requestError'
import type { NodeProcess } from '../observers/nodeProcesses'
import type { ProgramContext } from '../context/programContext'

/**
 * JavaScript is interrupted within milliseconds, also in a loop, in a regular expression and in Atomics.wait; a machine
 * under load has its time.
 */
const patienceMs = 2000
const pollMs = 10
/** A thousand frames with long paths. */
const largestAnswerBytes = 1024 * 1024

const answerSchema = z.object({
  asked: z.string(),
  frames: z.array(z.object({ file: z.string(), line: z.number().int(), function: z.string() })).max(1000),
})

/** Where the main thread of a Node process is. */
export interface NodeStack {
  /** Innermost first. */
  readonly frames: readonly Omit<StackFrame, 'code'>[]
  readonly note: string | null
}

/** Two questions at a time would take each other's answer. */
const asking = new Map<string, Promise<NodeStack>>()

/**
 * Asks the observer in a Node process for the stack of its main thread, by SIGUSR1: Node then interrupts its JavaScript
 * to open the inspector, and the observer writes down where that was and closes it again. Nothing attaches, nothing
 * pauses, nothing is printed.
 * @param file Path of a file in the session folder, by its name.
 * @throws RequestError when it cannot be asked
 */
export async function readNodeStack(
  node: NodeProcess,
  identity: ProcessIdentity,
  file: (name: string) => string,
  context: ProgramContext,
): Promise<NodeStack> {
  const key = `${identity.pid} ${identity.startTime}`
  const known = asking.get(key)
  if (known !== undefined) return known
  const answer = ask(node, identity, file, context).finally(() => asking.delete(key))
  asking.set(key, answer)
  return answer
}

async function ask(
  { pid, stacks, takesSigusr1 }: NodeProcess,
  identity: ProcessIdentity,
  file: (name: string) => string,
  { processes, log }: ProgramContext,
): Promise<NodeStack> {
  if (!stacks)
    throw new RequestError(
      errorCodes.wrongState,
      `Process ${pid} was started with --inspect: attach a debugger to see its stack.`,
    )
  const row = await processes.inspect(identity)
  if (row?.state === 'stopped')
    throw new RequestError(
      errorCodes.wrongState,
      `Process ${pid} is stopped (SIGSTOP, Ctrl-Z or a debugger) and cannot say where it is. Continue it first.`,
    )
  const masks = await processes.signalMasks(identity)
  // Where nobody catches it, it would end the process; where the program does, it means something else.
  if (takesSigusr1 || masks?.caught.has('SIGUSR1') !== true) {
    throw new RequestError(
      errorCodes.wrongState,
      `Process ${pid} ${takesSigusr1 ? 'handles SIGUSR1 itself' : 'does not listen to SIGUSR1'}, which is how ` +
        'Node is asked where it is.',
    )
  }
  const [question, answer] = [file(`ask-${pid}`), file(`stack-${pid}`)]
  const asked = randomBytes(8).toString('hex')
  await rm(answer, { force: true })
  writeOwnFile(question, asked)
  const outcome = await processes.signal(identity, 'SIGUSR1')
  log.debug('A Node process was asked for its stack.', { pid, outcome })
  if (outcome !== 'sent') throw gone(pid)
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
    await sleep(pollMs)
    const frames = framesIn(answer, asked)
    if (frames !== undefined) {
      await rm(answer, { force: true })
      return {
        frames,
        note: frames.length === 0 ? 'its main thread runs no JavaScript: it waits in its event loop' : null,
      }
    }
    if (!(await isAlive(processes, identity))) throw gone(pid)
  }
  // The question stays: whenever it comes back from there it will answer, and close its inspector.
  return {
    frames: [],
    note:
      'its main thread is blocked in native code (execSync or another synchronous call, an add-on): no answer ' +
      `within ${patienceMs / 1000} s`,
  }
}

function framesIn(file: string, asked: string): NodeStack['frames'] | undefined {
  try {
    const found = answerSchema.safeParse(JSON.parse(readOwnFile(file, largestAnswerBytes)))
    return found.data?.asked === asked ? found.data.frames : undefined
  } catch {
    return undefined
  }
}

function gone(pid: number): RequestError {
  return new RequestError(errorCodes.notFound, `Process ${pid} has ended, so it has no stack.`)
}
