import { Worker } from 'node:worker_threads'
import { lifelineFd } from '../wire/workerProcess'

/**
 * Time between the pool's end and the worker's, in which a worker that still runs JavaScript can finish a write to
 * disk. Well below the 2 s after which no worker may be left.
 */
const graceMs = 500

/**
 * Runs in a separate thread, because the main thread may spin or be blocked: then its event loop stands still, and no
 * timer, 'disconnect' or signal handler is called. The pool holds the other end of the pipe; when its process is gone,
 * for whatever reason, the kernel closes the pipe, and this thread kills the worker with its process group (which the
 * worker leads, so its children end, too). A socket rather than a blocking read, which process.exit() could not
 * interrupt.
 */
const source = `
const socket = new (require('node:net').Socket)({ fd: ${lifelineFd}, readable: true, writable: false })
socket.on('error', () => {})
socket.on('close', () => setTimeout(() => {
  const group = process.platform === 'win32' ? process.pid : -process.pid
  try { process.kill(group, 'SIGKILL') } catch { process.kill(process.pid, 'SIGKILL') }
}, ${graceMs}))
socket.resume()
`

/**
 * Ends this process once the pool's process is gone. Costs a thread of about 9 MB (a Node isolate with the smallest
 * heap) and some 25 ms of CPU time beside the main thread. The alternatives are worse: PR_SET_PDEATHSIG needs native
 * code or `setpriv` and is Linux only; a supervising process per pool can be killed itself and has to signal pids that
 * it does not own; a shell beside each worker that waits for the end of the pipe is a child of the worker, and is ended
 * as such.
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
    // Without the thread the pool's end would go unnoticed: better no worker than one that outlives its pool.
    process.exit(70)
  })
}
