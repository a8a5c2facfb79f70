import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** How much output of a quiet command is kept for its error message. */
const keptOutputBytes = 64 * 1024
/** Between asking a group of processes to end and ending it. */
const endGraceMs = 5000

/** A command that could not be started, exited with something else than 0, or ran out of time. */
export class CommandFailedError extends Error {
  /**
   * @param {string} command as typed
   * @param {string} reason what happened
   * @param {string} output what it printed last
   * @param {number | null} exitCode null when it was ended by a signal or never started
   */
  constructor(command, reason, output, exitCode) {
    super(`\`${command}\` ${reason}${output ? `:\n${output}` : '.'}`)
    this.name = 'CommandFailedError'
    this.command = command
    this.output = output
    this.exitCode = exitCode
  }
}

/** Process groups started here and not yet ended, so that Ctrl-C ends them too. @type {Set<number>} */
const liveGroups = new Set()

/**
 * Ends a process group that this program started: SIGTERM, then SIGKILL after a grace period. The group's id is its
 * leader's pid, which stays reserved for as long as any member lives, so no stranger can be hit.
 * @param {number} groupId
 */
export async function endGroup(groupId) {
  if (!(groupId > 1)) throw new RangeError(`Not a process group of ours: ${String(groupId)}`)
  for (const [signal, waitMs] of /** @type {const} */ ([
    ['SIGTERM', endGraceMs],
    ['SIGKILL', 2000],
  ])) {
    if (!signalGroup(groupId, signal)) return
    const deadline = Date.now() + waitMs
    while (Date.now() < deadline) {
      if (!groupHasLiveMembers(groupId)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** @param {number} groupId @param {NodeJS.Signals | 0} signal @returns whether the group has a member */
function signalGroup(groupId, signal) {
  try {
    process.kill(-groupId, signal)
    return true
  } catch {
    return false // ESRCH: nobody is left (EPERM cannot be: they are ours)
  }
}

/** @param {number} groupId */
function groupHasLiveMembers(groupId) {
  return signalGroup(groupId, 0)
}

/** What else is to be ended on Ctrl-C. @type {Set<() => Promise<void>>} */
const cleanups = new Set()

/**
 * Has something done on Ctrl-C, before this program exits.
 * @param {() => Promise<void>} cleanup
 */
export function onInterrupt(cleanup) {
  cleanups.add(cleanup)
}

/**
 * Call once in an entry script: Ctrl-C and SIGTERM then end every command that still runs, and do what is to be done.
 */
export function endCommandsOnInterrupt() {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (interrupted) return // a second Ctrl-C while we end things in order: they are bounded
      interrupted = true
      const ending = [...[...liveGroups].map((group) => endGroup(group)), ...[...cleanups].map((cleanup) => cleanup())]
      void Promise.allSettled(ending).then((results) => {
        for (const result of results)
          if (result.status === 'rejected')
            console.error(result.reason instanceof Error ? result.reason.message : result.reason)
        process.exit(results.some(({ status }) => status === 'rejected') ? 1 : interruptExitCode)
      })
    })
  }
}

let interrupted = false

/** 128 + SIGINT by default; for a program whose usual end is Ctrl-C, 0. */
let interruptExitCode = 130
/** @param {number} exitCode */
export function exitOnInterruptWith(exitCode) {
  interruptExitCode = exitCode
}

/**
 * Runs a command to its end, in a process group of its own.
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean, timeoutMs?: number }} [options] `show` passes its
 * output on as it comes; without it the output is only kept for the error message.
 * @returns {Promise<string>} what it printed (the end of it)
 * @throws {CommandFailedError}
 */
export async function run(file, args, options = {}) {
  const typed = [file, ...args].join(' ')
  // What is run to clean up after Ctrl-C goes on to its own end.
  const begunBefore = !interrupted
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    // npm is a .cmd file on Windows, which only a shell can start.
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const [stream, target] of /** @type {const} */ ([
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ])) {
    stream.setEncoding('utf8')
    stream.on('data', (/** @type {string} */ text) => {
      if (options.show) target.write(text)
      output = (output + text).slice(-keptOutputBytes)
    })
  }
  if (child.pid !== undefined) liveGroups.add(child.pid)
  let timedOut = false
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          if (child.pid !== undefined) void endGroup(child.pid)
        }, options.timeoutMs)
  try {
    const [exitCode, signal] = /** @type {[number | null, NodeJS.Signals | null]} */ (await once(child, 'close'))
    if (interrupted && begunBefore) throw new CommandFailedError(typed, 'was interrupted', '', null)
    if (timedOut)
      throw new CommandFailedError(
        typed,
        `did not end within ${options.timeoutMs ?? 0} ms and was ended`,
        lastLines(output),
        null,
      )
    if (exitCode !== 0) {
      throw new CommandFailedError(
        typed,
        signal ? `was ended by ${signal}` : `exited with ${String(exitCode)}`,
        options.show ? '' : lastLines(output),
        exitCode,
      )
    }
    return output
  } catch (error) {
    if (error instanceof CommandFailedError) throw error
    throw new CommandFailedError(
      typed,
      `could not be started (${error instanceof Error ? error.message : String(error)})`,
      '',
      null,
    )
  } finally {
    clearTimeout(timer)
    if (child.pid !== undefined) liveGroups.delete(child.pid)
  }
}

/** @param {string} text */
function lastLines(text) {
  return text.trimEnd().split('\n').slice(-40).join('\n')
}

/**
 * The environment for an npm that works in another folder than the one this script was started for: what `npm run`
 * adds about this package must not leak into it, while the user's own settings (registry, proxy, cache) must.
 * @param {NodeJS.ProcessEnv} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(extra = {}) {
  const config = 'local_prefix|global_prefix|ignore_scripts|omit|include|production|workspace|workspaces|prefix'
  const foreign = new RegExp(`^npm_(lifecycle_|package_|command$|execpath$|node_execpath$|config_(${config})$)`, 'i')
  const kept = Object.entries(process.env).filter(
    ([name]) => !foreign.test(name) && name !== 'INIT_CWD' && name !== 'NODE_ENV',
  )
  return { ...Object.fromEntries(kept), ...extra }
}
