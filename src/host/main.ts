import { parseArgs } from 'node:util'
import { endReaders } from '../files'
import { processTable, protectedPids } from '../processes'
import { endpointOf, type Endpoint } from '../discovery'
import { becomeHost } from './lifetime/becomeHost'
import { Host } from './host'
import { endHost } from './hung/endHost'
import { findHostProcess } from './hung/hostProcess'
import { idleMsOf } from './lifetime/idle'
import { assertLimits } from './lifetime/leastLimits'
import { removeStaleFiles } from './lifetime/listener'
import { HostLog, logLevelOf } from './terms/log'
import { reasonDescriptorOf, StartReason } from './lifetime/startReason'

/** Set once the command line is read. */
let reason = new StartReason(undefined)

/**
 * `host.js --root FOLDER`: the daemon of one workspace. Exits with 0 when another one is there already. With `--look`
 * or `--end PID` it is no host: it inspects the process of the running host, or ends it, and prints one line of JSON.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      root: { type: 'string' },
      // For the client that starts a host.
      'reason-to': { type: 'string' },
      // For a host that does not answer: see src/discovery/hungHost.ts.
      look: { type: 'boolean' },
      end: { type: 'string' },
      'start-time': { type: 'string' },
      'asked-by': { type: 'string' },
    },
  })
  reason = new StartReason(reasonDescriptorOf(values['reason-to']))
  if (values.root === undefined) throw new Error('Usage: host.js --root FOLDER')
  const endpoint = await endpointOf(values.root)
  if (values.look === true) print(await findHostProcess(endpoint, processTable))
  else if (values.end !== undefined) {
    const identity = { pid: Number(values.end), startTime: values['start-time'] ?? '' }
    print({ outcome: await endHost(endpoint, identity, values['asked-by'] === 'cli' ? 'cli' : 'user', processTable) })
  } else await beHost(endpoint)
}

async function beHost(endpoint: Endpoint): Promise<void> {
  if (process.platform === 'linux') assertLimits()
  const self = await processTable.identify(process.pid)
  if (!self) throw new Error('This process is not in the process table; is /proc mounted, and of this pid namespace?')
  if (!(await becomeHost(endpoint, self, processTable))) return
  // Only the start of the host needs the variable; pools and programs get the user's environment.
  delete process.env.ELECTRON_RUN_AS_NODE
  const foreign = await removeStaleFiles(endpoint)
  const log = new HostLog(endpoint.logFile, { level: logLevelOf(process.env) })
  if (foreign.length > 0)
    log.warn('What stood under names of this host was none of its files, and was removed.', { foreign })
  // One bad pool must not end the others: uncaught errors are logged, and the host goes on.
  process.on('uncaughtException', (error) => {
    log.error('An error that nobody caught.', error)
  })
  process.on('unhandledRejection', (rejected) => {
    log.error('A rejection that nobody caught.', rejected)
  })
  const host = new Host({
    endpoint,
    self,
    processes: processTable,
    protectedPids,
    log,
    idleMs: idleMsOf(process.env),
    ended: (exitCode) => {
      void leave(exitCode)
    },
  })
  process.on('SIGTERM', () => {
    host.terminate()
  })
  process.on('SIGINT', () => {
    void host.stop('SIGINT')
  })
  // The terminal that started it may close.
  process.on('SIGHUP', () => undefined)
  await host.start()
  reason.close()
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

async function leave(exitCode: number): Promise<void> {
  if (!(await endReaders())) process.kill(process.pid, 'SIGKILL')
  process.exit(exitCode)
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  reason.tell(message)
  process.stderr.write(`${message}\n`)
  process.exit(1)
})
