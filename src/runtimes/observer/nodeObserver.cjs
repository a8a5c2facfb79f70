'use strict'

/**
 * The observer inside a watched Node program; see README.md, "Node programs". It notes which children the program
 * starts and how they end, and reports the main thread's stack when the host asks. Plain CommonJS without dependencies,
 * loaded by `--require` before the program's own code, on any version of Node. It never throws into the program,
 * prints, keeps it alive, or appears in its error stacks; failures are silent.
 */

const { UNHANG_WATCH: folder, NODE_OPTIONS: nodeOptions = '' } = process.env

/** A program that starts more children than this has had enough of them noted: some megabytes. */
const mostNotes = 20_000
const mostArguments = 16
const longestArgument = 300
const mostFrames = 100

try {
  // A worker thread shares pid and children with its process, and its options as well.
  if (folder && require('node:worker_threads').isMainThread) enter()
} catch {
  // Failures are silent: the program goes on without an observer.
}

function enter() {
  // Saved now: the program may replace them.
  const { appendFileSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } = require('node:fs')
  const { subscribe } = require('node:diagnostics_channel')
  const { now } = Date
  const { arguments: keepArguments } = JSON.parse(readFileSync(`${folder}/session.json`, 'utf8'))
  let left = mostNotes

  /** @param {object} fact */
  function note(fact) {
    if (left <= 0) return
    left -= 1
    try {
      appendFileSync(`${folder}/node-${process.pid}.jsonl`, `${JSON.stringify(fact)}\n`, { mode: 0o600 })
    } catch {
      // The host has ended and its folder is gone, or the disk is full.
      left = 0
    }
  }

  /** @param {number} pid */
  function startTicksOf(pid) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    } catch {
      return null
    }
  }

  /**
   * The handle of a new child process is known before the child is started. Two of its methods are shadowed for one
   * call each, invisible to `console.log(child)` and to error stacks; no listener is added.
   */
  subscribe('child_process', (message) => {
    try {
      const child = /** @type {any} */ (message).process
      const handle = child._handle
      /** @type {{ pid: number, ticks: number | null } | null} */
      let started = null
      once(handle, 'spawn', (spawn, [options]) => {
        const error = spawn()
        if (error === 0 || error === undefined) started = noteStart(handle.pid, options)
        return error
      })
      // Called from `onexit`, right after the exit code was set, and before any listener runs.
      once(handle, 'close', (close) => {
        if (started !== null)
          note({
            ended: started.pid,
            ticks: started.ticks,
            at: now(),
            exitCode: child.exitCode,
            signal: child.signalCode,
          })
        return close()
      })
    } catch {
      // A version of Node that we do not know.
    }
  })

  /**
   * @param {number} pid
   * @param {{ file?: unknown, args?: unknown[] }} options
   */
  function noteStart(pid, { file, args }) {
    try {
      const ticks = startTicksOf(pid)
      const all = Array.isArray(args) ? args.slice(1).map(String) : []
      // The script is the name; its arguments may be secret.
      note({
        started: pid,
        ticks,
        at: now(),
        argv: [file, ...(keepArguments === true ? all : upToScript(all))]
          .slice(0, mostArguments)
          .map((argument) => String(argument).slice(0, longestArgument)),
      })
      return { pid, ticks }
    } catch {
      return null
    }
  }

  /**
   * @param {string[]} args
   * @returns {string[]} `-m module`, `--option script.js`; nothing of a program that stands in the command line itself
   */
  function upToScript(args) {
    const script = args.findIndex((argument) => !argument.startsWith('-'))
    const before = args[script - 1] ?? ''
    return script < 0 || /^-[A-Za-z]*[cep]$|^--(eval|print)$/.test(before)
      ? []
      : args.slice(Math.max(0, script - 1), script + 1)
  }

  /**
   * Replaces a method for one call.
   * @param {any} target
   * @param {string} name
   * @param {(original: () => unknown, args: any[]) => unknown} call
   */
  function once(target, name, call) {
    const original = target[name]
    Object.defineProperty(target, name, {
      configurable: true,
      writable: true,
      enumerable: false,
      /** @param {any[]} args */
      value(...args) {
        delete target[name]
        return call(() => Reflect.apply(original, this, args), args)
      },
    })
  }

  /**
   * SIGUSR1 makes Node open its inspector, even in the middle of a loop: it interrupts JavaScript and emits an event,
   * meant for the workers of a cluster. At that moment the main thread's stack can be read without attaching (which
   * would print to the program's stderr) and without a pause. Only when the host has asked; other SIGUSR1 signals are
   * left alone.
   */
  function answerStacks() {
    // Event and function are internal to Node and not in its types.
    const emitter = /** @type {import('node:events').EventEmitter & { _debugEnd(): void }} */ (
      /** @type {unknown} */ (process)
    )
    let echoes = false
    emitter.prependListener('internalMessage', (message) => {
      if (message?.cmd !== 'NODE_DEBUG_ENABLED') return
      try {
        const ask = `${folder}/ask-${process.pid}`
        const asked = textOf(ask)
        if (asked === undefined && !echoes) return
        // Else the primary of a cluster would send SIGUSR1 to its workers.
        message.cmd = ''
        // Node handles the signal twice, by interrupt and in the event loop: the second time opens again what the first
        // had closed.
        echoes = asked !== undefined
        if (asked === undefined) {
          emitter._debugEnd()
          return
        }
        const frames = framesHere()
        emitter._debugEnd()
        unlinkSync(ask)
        const answer = `${folder}/stack-${process.pid}`
        writeFileSync(`${answer}.new`, JSON.stringify({ asked, frames }), { mode: 0o600 })
        renameSync(`${answer}.new`, answer)
      } catch {
        // No answer is written, and the host reports that.
      }
    })
    // A program that handles SIGUSR1 gets it instead of Node: the host must know before it sends one.
    emitter.on('newListener', (event) => {
      if (event === 'SIGUSR1') note({ takes: 'SIGUSR1' })
    })
  }

  /** @param {string} file */
  function textOf(file) {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return undefined
    }
  }

  /** Innermost first; empty when no JavaScript of the program is running. */
  function framesHere() {
    const { prepareStackTrace, stackTraceLimit } = Error
    /** @type {NodeJS.CallSite[]} */
    let sites
    try {
      Error.stackTraceLimit = mostFrames
      Error.prepareStackTrace = (_, callSites) => callSites
      sites = /** @type {any} */ (new Error().stack)
    } finally {
      Error.prepareStackTrace = prepareStackTrace
      Error.stackTraceLimit = stackTraceLimit
    }
    const frames = sites.map((site) => {
      const name = site.getFunctionName() ?? '<anonymous>'
      return {
        file: site.getFileName() ?? '',
        line: site.getLineNumber() ?? 0,
        column: site.getColumnNumber() ?? 0,
        function: site.isAsync() ? `async ${name}` : site.isConstructor() ? `new ${name}` : name,
      }
    })
    // The frames of this function and of `process.emit`.
    const first = frames.findIndex(({ file }) => file !== __filename && file !== 'node:events')
    return first < 0 ? [] : frames.slice(first).map((frame) => mapped(frame))
  }

  /** @param {{ file: string, line: number, column: number, function: string }} frame */
  function mapped({ file, line, column, function: name }) {
    try {
      const origin =
        process.sourceMapsEnabled === true
          ? require('node:module')
              .findSourceMap(file)
              ?.findEntry(line - 1, column - 1)
          : undefined
      if (origin !== undefined && 'originalSource' in origin && 'originalLine' in origin) {
        return { file: String(origin.originalSource), line: Number(origin.originalLine) + 1, function: name }
      }
    } catch {
      // Without a usable source map: the place in the code that runs.
    }
    return { file, line, function: name }
  }

  /** `--inspect`: the inspector is open, or will be, and SIGUSR1 says nothing more. */
  const inspects = [...process.execArgv, ...nodeOptions.split(/\s+/)].some((option) =>
    /^"?--inspect(-brk|-wait)?(=|$)/.test(option),
  )
  // See nodeOptions() in the host for the reason of this text.
  const quiet = nodeOptions.includes('-\\-inspect-publish-uid=http')
  if (!inspects && quiet) {
    // A free port: 9229 may be in use.
    process.debugPort = 0
    answerStacks()
  } else if (inspects && quiet && !process.execArgv.some((option) => option.startsWith('--inspect-publish-uid'))) {
    // The message that Node would have printed; editors wait for it.
    const url = require('node:inspector').url()
    if (url !== undefined) writeSync(2, `Debugger listening on ${url}\n`)
  }
  note({
    hello: process.pid,
    ticks: startTicksOf(process.pid),
    node: process.versions.node,
    stacks: !inspects && quiet,
  })
}
