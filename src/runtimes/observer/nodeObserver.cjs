'use strict'

/**
 * What sits inside a Node program under watch; see README.md, "Node programs". It notes which children the program starts and how
 * they end, and says where the main thread is when the host asks. Plain CommonJS without dependencies, loaded by `--require` before
 * the program's own code on whatever Node that runs on. Nothing here raises into the program, prints, keeps it alive, or shows in
 * its error stacks; what fails is given up in silence.
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
  // Not ours to complain: the program goes on without us.
}

function enter() {
  // Taken now: the program may put others in their place.
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
   * The handle of a new child process is known before the child is started. Its two methods are shadowed for one call each, where
   * neither `console.log(child)` nor the stack of an error shows it; no listener is added.
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
      // Called from `onexit`, right after the exit code was set, and before anybody is told.
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
      // Another Node than those we know.
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
      // What is run is its name; what comes behind it may be secret.
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
   * SIGUSR1 makes Node open its inspector, also in the middle of a loop: it interrupts JavaScript and says so to the program, for the
   * workers of a cluster. That is the moment to see where the main thread is: nobody has to attach (which would print into the
   * program's stderr) and nothing is paused. Only when the host has asked; anybody else's SIGUSR1 is left alone.
   */
  function answerStacks() {
    // The event and the function are Node's own and not in its types.
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
        // Node comes by both ways, the interrupt and the event loop: the second opens what was closed at the first.
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
        // Then there is no answer, and the host says that.
      }
    })
    // Who handles SIGUSR1 itself gets it instead of Node: the host must know before it sends one.
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
    // Ours, and `process.emit`.
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
      // As it runs, then.
    }
    return { file, line, function: name }
  }

  /** `--inspect`: the inspector is open, or will be, and SIGUSR1 says nothing more. */
  const inspects = [...process.execArgv, ...nodeOptions.split(/\s+/)].some((option) =>
    /^"?--inspect(-brk|-wait)?(=|$)/.test(option),
  )
  // See nodeOptions() in the host for how this comes to be in there.
  const quiet = nodeOptions.includes('-\\-inspect-publish-uid=http')
  if (!inspects && quiet) {
    // A free port, whoever else has 9229.
    process.debugPort = 0
    answerStacks()
  } else if (inspects && quiet && !process.execArgv.some((option) => option.startsWith('--inspect-publish-uid'))) {
    // Node would have said this; editors wait for it.
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
