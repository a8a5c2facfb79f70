import { parseArgs } from 'node:util'
import { endReaders } from '../files'
import { processTable, protectedPids } from '../processes'
import { endpointOf } from '../protocol'
import { becomeHost } from './becomeHost'
import { Host } from './host'
import { idleMsOf } from './idle'
import { HostLog, logLevelOf } from './log'

/** `host.js --root FOLDER`: the daemon of one workspace. Exits with 0 when another one is there already. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { root: { type: 'string' } } })
  if (values.root === undefined) throw new Error('Usage: host.js --root FOLDER')
  const endpoint = await endpointOf(values.root)
  const self = await processTable.identify(process.pid)
  if (!self) throw new Error('This process is not in the process table; is /proc mounted?')
  if (!(await becomeHost(endpoint, self, processTable))) return
  // Only the start of the host needs the variable; whatever is launched from here gets the user's environment.
  delete process.env.ELECTRON_RUN_AS_NODE
  const log = new HostLog(endpoint.logFile, { level: logLevelOf(process.env) })
  // One bad pool must not take the others along: what nobody caught is written down, and the host goes on.
  process.on('uncaughtException', (error) => { log.error('An error that nobody caught.', error) })
  process.on('unhandledRejection', (reason) => { log.error('A rejection that nobody caught.', reason) })
  const host = new Host({
    endpoint, self, processes: processTable, protectedPids, log, idleMs: idleMsOf(process.env), ended: (exitCode) => { void leave(exitCode) },
  })
  process.on('SIGTERM', () => { host.terminate() })
  process.on('SIGINT', () => { void host.stop('SIGINT') })
  // The terminal that started it may close.
  process.on('SIGHUP', () => undefined)
  await host.start()
}

async function leave(exitCode: number): Promise<void> {
  if (!(await endReaders())) process.kill(process.pid, 'SIGKILL')
  process.exit(exitCode)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
