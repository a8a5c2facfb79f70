import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../package.json'
import type { ProcessIdentity, ProcessTable, ProtectedPids } from '../processes'
import { ownPidNamespace, type Endpoint } from '../discovery'
import { errorCodes, protocolVersion, type CheckedParamsOf, type HostStatus, type LaunchedPool } from '../protocol'
import { defaultLimits, KillLedger } from '../shutdown'
import { Announcement } from './lifetime/announcement'
import { Clients, type ClientService } from './connection/clients'
import { RequestError } from './terms/requestError'
import { createHandlers } from './handlers'
import { IdleTimer } from './lifetime/idle'
import { TasksLanguage } from './language/tasksLanguage'
import { launchPool } from './launch/launchPool'
import { KillLog } from './ledger/killLog'
import type { WorkerLedger } from './ledger/workerLedger'
import { Listener } from './lifetime/listener'
import type { HostLog } from './terms/log'
import type { PoolReports, ShutdownOrder } from './pools/hostedPool'
import { takeOverLedger } from './pools/orphans'
import { PoolRegistry } from './pools/poolRegistry'
import { Preemptions, type WrappedUp } from './preemption/preemptions'
import { Programs } from './programs/programs'
import { TerminalPrograms } from './programs/context/terminalPrograms'
import { ChangeNotices, noticeIntervalMs } from './state/changeNotices'
import { StateLog } from './state/stateLog'
import { Watchdog } from './watchdog/watchdog'
import { Measurements } from './measuring/measurements'
import { poolReports } from './poolReports'
import { programsThatRunOn, unwatchedPrograms } from './hostStatus'

export interface HostOptions {
  readonly endpoint: Endpoint
  /** This process. */
  readonly self: ProcessIdentity
  readonly processes: ProcessTable
  /** Processes that are never signalled; editors are added while they are connected. */
  readonly protectedPids: ProtectedPids
  readonly log: HostLog
  readonly idleMs: number
  /** The host has ended and everything is cleaned up; it leaves with this code. */
  readonly ended: (exitCode: number) => void
}

/** The daemon of one workspace: owns its pools and serves its clients. The process must hold the workspace's lock. */
export class Host {
  readonly #options: HostOptions

  readonly #token = randomBytes(32).toString('hex')
  readonly #pidNamespace = ownPidNamespace()
  readonly #startedAt = Date.now()
  readonly #notices = new ChangeNotices(() => {
    this.#clients.notifyChanged(this.#state.rev)
  })
  readonly #state = new StateLog(() => {
    this.#notices.changed()
  })
  readonly #clients = new Clients(() => {
    this.#clientsChanged()
  })
  readonly #pools: PoolRegistry
  readonly #killLog: KillLog
  readonly #kills: KillLedger
  readonly #measurements: Measurements
  readonly #reports: PoolReports
  readonly #idle: IdleTimer
  #ledger: WorkerLedger | undefined
  #terminalPrograms: TerminalPrograms | undefined
  #listener: Listener | undefined
  #announcement: Announcement | undefined
  readonly #preemptions: Preemptions
  readonly #programs: Programs
  #stopping: Promise<string[]> | undefined
  #exitCode = 0
  #farewellMs = answerMs
  #lastResort: NodeJS.Timeout | undefined

  constructor(options: HostOptions) {
    this.#options = options

    const { endpoint, processes, log, idleMs } = options
    this.#pools = new PoolRegistry(this.#state, (error) => {
      log.warn('A pool was not cleaned up.', error)
    })
    this.#reports = poolReports(log, this.#clients, () => {
      this.#idle.check()
    })
    this.#killLog = new KillLog(endpoint.killsFile, (error) => {
      log.warn('A signal was not written to the kill ledger.', error)
    })
    this.#kills = new KillLedger({
      sink: (entry) => {
        this.#killLog.record(entry)
      },
    })
    this.#preemptions = new Preemptions({ processes, ledger: this.#kills }, log)
    void this.#preemptions.done.then((wrappedUp) => {
      this.#leaveFor(wrappedUp)
    })
    this.#programs = new Programs({
      directory: endpoint.directory,
      root: endpoint.root,
      processes,
      kills: this.#kills,
      log,
      state: this.#state,
      pools: this.#pools,
      ledger: () => this.#ledger,
      terminalPrograms: () => this.#terminalPrograms,
      ...this.#reports,
      somebodyLooks: () => this.#clients.size > 0,
      mustBeOpen: () => {
        this.#mustBeOpen()
      },
    })
    this.#measurements = new Measurements({ processes, log, pools: this.#pools, state: this.#state })
    const watchdog = new Watchdog(endpoint.logFile, log)
    this.#idle = new IdleTimer(
      idleMs,
      () => this.#isNeeded(),
      () => {
        void this.#leaveUnlessNeeded()
      },
      (isNeeded) => {
        watchdog.watch(isNeeded)
      },
    )
  }

  /** Takes over from a dead host, whose stale files are gone by now, listens, and announces itself. */
  async start(): Promise<void> {
    const { endpoint, self, log } = this.#options
    this.#ledger = await takeOverLedger(endpoint.ledgerFile, {
      ...this.#options,
      kills: this.#kills,
      state: this.#state,
      pools: this.#pools,
      reports: this.#reports,
    })
    this.#terminalPrograms = await TerminalPrograms.open(endpoint.programsFile, this.#options.processes, (error) => {
      log.warn('The list of programs was not written.', error)
    })
    await this.#removeOldOutput()
    await this.#programs.removeStale()
    this.#listener = await this.#listen()
    this.#announcement = new Announcement(
      endpoint,
      {
        pid: self.pid,
        startTime: self.startTime,
        socketPath: this.#listener.path,
        token: this.#token,
        version,
        protocolVersion,
        startedAt: this.#startedAt,
      },
      (error) => {
        log.warn('The runtime folder was not kept fresh.', error)
      },
    )
    await this.#announcement.publish()
    log.info('The host runs.', { pid: self.pid, version, root: endpoint.root, node: process.version })
    this.#idle.check()
  }

  /**
   * Ends every pool through the shutdown core, then the host. Calling it twice is safe.
   * @returns the issues: what could not be ended, and stays in the ledger for the next host.
   */
  stop(why: string): Promise<string[]> {
    if (!this.#stopping && this.#preemptions.active) {
      this.#preemptions.hurry()
      // The handler of `done` in the constructor runs before this one, so `#stopping` is set by now.
      return this.#preemptions.done.then(() => this.#stopping ?? [])
    }
    this.#stopping ??= this.#end(why, { kill: false, askedBy: 'host', reason: `the host ends: ${why}` })
    return this.#stopping
  }

  /**
   * SIGTERM. Pools with a `termination` are wrapped up accordingly, and the host exits with their exit code; other
   * pools are ended at once. Without a `termination` the host ends as by {@link stop}. A second SIGTERM skips the
   * remaining wait of the current step.
   */
  terminate(): void {
    const first = !this.#preemptions.active
    if (this.#stopping || !this.#preemptions.sigterm()) {
      void this.stop('SIGTERM')
      return
    }
    const others = first ? this.#pools.live().filter((pool) => pool.owned && !this.#preemptions.has(pool)) : []
    for (const pool of others) {
      pool.shutdown({ kill: false, askedBy: 'preemption', reason: 'SIGTERM' }).catch((error: unknown) => {
        this.#options.log.error('A pool was not ended.', error)
      })
    }
  }

  /** Every pool with a `termination` is wrapped up: there may be little time left. */
  #leaveFor({ exitCode, leftMs }: WrappedUp): void {
    this.#exitCode = exitCode
    const { cutGracePeriodMs, cutMs } = defaultLimits
    // No client has asked for this end; if there is time, clients are notified of the end of their pools.
    if (this.#clients.size > 0) this.#farewellMs = Math.max(answerMs, Math.min(farewellMs, leftMs / 2))
    // From here on, a step that is slow or hangs no longer changes the exit code.
    this.#lastResort = setTimeout(
      () => {
        this.#options.ended(exitCode)
      },
      Math.min(cutMs, Math.max(leftMs, leastMs)),
    )
    this.#stopping ??= this.#end('the machine is going to be taken away', {
      kill: false,
      useSigkill: true,
      gracePeriodMs: cutGracePeriodMs,
      askedBy: 'preemption',
      reason: 'the machine is going to be taken away',
    })
  }

  #listen(): Promise<Listener> {
    const { endpoint, log } = this.#options
    const handlers = createHandlers({
      state: this.#state,
      pools: this.#pools,
      clients: this.#clients,
      launch: (params) => this.#launch(params),
      programs: this.#programs,
      status: () => this.#status(),
      ping: () =>
        stat(endpoint.directory).then(
          () => undefined,
          () => undefined,
        ),
      stop: async () => {
        const issues = await this.stop('a client asked for it')
        const runOn = programsThatRunOn(this.#pools)
        return runOn.length === 0 ? { issues } : { issues, runOn }
      },
    })
    const service: ClientService = {
      token: this.#token,
      version,
      pidNamespace: this.#pidNamespace,
      log,
      handlers,
      serveLanguage: (connection) => new TasksLanguage(connection, endpoint.root, () => this.#pools.headers()),
      protect: (pid) => this.#options.protectedPids.add(pid),
    }
    return Listener.open(
      endpoint,
      (socket) => {
        this.#clients.accept(socket, service)
      },
      (error) => {
        log.error('Listening failed.', error)
      },
    )
  }

  async #status(): Promise<HostStatus> {
    return {
      pid: this.#options.self.pid,
      version,
      startedAt: this.#startedAt,
      clients: this.#clients.readyCount,
      pools: this.#pools.live().length,
      logFile: this.#options.endpoint.logFile,
      unwatched: unwatchedPrograms((await this.#terminalPrograms?.unwatched()) ?? [], this.#pools),
    }
  }

  async #launch(params: CheckedParamsOf<'unhang/launchPool'>): Promise<LaunchedPool> {
    const { endpoint, processes, log } = this.#options
    this.#mustBeOpen()
    const launched = await launchPool(params, {
      root: endpoint.root,
      outputDirectory: endpoint.outputDirectory,
      system: { processes, ledger: this.#kills },
      log,
      state: this.#state,
      pools: this.#pools,
      ledger: this.#ledger,
      preemptions: this.#preemptions,
      reports: this.#reports,
      programs: this.#programs,
      mustBeOpen: () => {
        this.#mustBeOpen()
      },
    })
    this.#idle.check()
    return launched
  }

  #mustBeOpen(): void {
    if (this.#stopping)
      throw new RequestError(errorCodes.wrongState, 'This host is ending. Try again; a new one starts by itself.')
    if (this.#preemptions.active)
      throw new RequestError(
        errorCodes.wrongState,
        'This machine is going to be taken away, so nothing new is launched on it. Its pools are being wrapped up.',
      )
  }

  /** Removes the output of previous hosts: their pools are gone, so no client can ask for it. */
  async #removeOldOutput(): Promise<void> {
    const { outputDirectory } = this.#options.endpoint
    const names = await readdir(outputDirectory).catch(() => [])
    await Promise.all(names.map((name) => rm(join(outputDirectory, name), { recursive: true, force: true })))
  }

  #clientsChanged(): void {
    this.#measurements.update(this.#clients.wanted())
    this.#idle.check()
  }

  /** Orphans do not keep a host alive: the ledger lists them, and no output is read from them. */
  #isNeeded(): boolean {
    return this.#clients.size > 0 || this.#preemptions.active || this.#pools.live().some((pool) => pool.needsHost)
  }

  /** Withdraws the announcement, then checks again: a client that connected in between keeps the host alive. */
  async #leaveUnlessNeeded(): Promise<void> {
    await this.#announcement?.withdraw()
    if (this.#isNeeded() && !this.#stopping) await this.#announcement?.publish()
    else await this.stop('nobody needs it any more')
  }

  async #end(why: string, order: ShutdownOrder): Promise<string[]> {
    this.#options.log.info('The host ends.', { why })
    this.#idle.dispose()
    this.#preemptions.stop()
    // From here on new clients find no host and start one, which waits for the lock of this one.
    this.#listener?.close()
    await this.#announcement?.withdraw()
    // Orphans run on: no client asked for their end, and the next host finds them in the ledger again.
    const own = this.#pools.live().filter((pool) => pool.owned)
    const reports = await Promise.allSettled(own.map((pool) => pool.shutdown(order)))
    await this.#programs.leave()
    for (const pool of this.#pools.all()) this.#clients.flushOutput(pool.id)
    // After the answer to the client that asked for the end.
    setTimeout(() => {
      void this.#leave()
    }, this.#farewellMs)
    return reports.flatMap((report) =>
      report.status === 'fulfilled' ? [...report.value.issues] : [String(report.reason)],
    )
  }

  async #leave(): Promise<void> {
    const { endpoint, log, ended } = this.#options
    this.#clients.end()
    this.#measurements.update([])
    this.#notices.dispose()
    const survivors = this.#ledger?.size ?? 0
    this.#ledger?.close()
    if (survivors === 0) await rm(endpoint.ledgerFile, { force: true })
    await this.#terminalPrograms?.close().catch((error: unknown) => {
      log.warn('The list of programs was not closed.', error)
    })
    await rm(endpoint.outputDirectory, { recursive: true, force: true }).catch((error: unknown) => {
      log.warn('Output was not removed.', error)
    })
    log.info('The host has ended.', { survivors })
    this.#killLog.close()
    await log.close()
    clearTimeout(this.#lastResort)
    ended(this.#exitCode)
  }
}

/** Pause between the last answer and the end of the connection. */
const answerMs = 20

/** Time for the last change notice, and for clients to fetch the final state of their pools. */
const farewellMs = noticeIntervalMs + 150

/** Least time for the end of the host, which it takes even without pools, also after the grace period is over. */
const leastMs = 200
