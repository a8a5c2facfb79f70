import { Worker } from 'node:worker_threads'
import { lifelineFd } from '../wire/workerProcess'

/**
 * Between the pool's end and ours, so that a worker that can still run JavaScript finishes what it writes to disk.
 * Far below the 2 s within which no worker may be left.
 */
const graceMs = 500

/**
 * Runs in a thread of its own, because the main thread may spin or be blocked: then no event loop of it turns, and no
 * timer, 'disconnect' or signal handler is ever called. The pool holds the other end of the pipe; when that process is
 * gone, however it went, the kernel closes the pipe, and this kills the worker with its process group (which the worker
 * leads, so that what it started goes too). A socket, not a blocking read: that could not be interrupted by
 * process.exit().
 */
const source = `
const socket = new (require('node:net').Socket)({ fd: ${lifelineFd}, readable: true, writable: false })
socket.on('error', () => {})
socket.on('close', () => setTimeout(() => {
  try { process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGKILL') } catch { process.kill(process.pid, 'SIGKILL') }
}, ${graceMs}))
socket.resume()
`

/**
 * Ends this process once the pool's process is gone. Costs a thread of about 9 MB (a Node isolate with the smallest
 * heap) and some 25 ms of CPU time beside the main thread, which a machine with a core to spare does not notice. The
 * alternatives are worse: PR_SET_PDEATHSIG needs native code or `setpriv` and is Linux only, a watching process per
 * pool can be killed itself and has to signal pids that it does not own, and a shell beside each worker that waits for
 * the end of the pipe is seen, and ended, as a child of the worker.
 */
export function holdLifeline(): void {
  const thread = new Worker(source, {
    eval: true,
    stdout: false,
    stderr: false,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 0, stackSizeMb: 1 },
  })
  thread.unref()
  thread.on('error', () => {
    // Without the thread nobody would notice the pool's end: better no worker than one that outlives it.
    process.exit(70)
  })
}
