import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../package.json'
import type { Pool } from '../core'
import type { ProcessIdentity, ProcessTable } from '../processes'
import {
  CancelTask, errorCodes, FollowOutput, GetFailures, GetSnapshot, HostStatus, LaunchPool, protocolVersion, removeHostInfo, RemovePool, RetryTask, Shutdown, ShutdownDone, StopHost, Watch,
  writeHostInfo, type Endpoint,
} from '../protocol'
import { KillLedger, type ShutdownReport } from '../shutdown'
import { Client } from './connection/client'
import { RequestError, type RequestHandlers } from './connection/requestHandlers'
import { IdleWatch } from './idle'
import { TasksLanguage } from './language/tasksLanguage'
import { launchPool } from './launch/launchPool'
import { findSurvivors } from './ledger/findSurvivors'
import { KillLog } from './ledger/killLog'
import { readLedger, WorkerLedger, type LedgerEntry } from './ledger/workerLedger'
import { Listener, removeStaleSockets } from './listener'
import type { HostLog } from './log'
import type { HostedPool, ShutdownOrder } from './pools/hostedPool'
import { LivePool } from './pools/livePool'
import { OrphanedPool, type Survivor } from './pools/orphanedPool'
import { PoolRegistry } from './pools/poolRegistry'
import { wireReport } from './pools/reports'
import { shutDownTargets } from './pools/shutdownTargets'
import { ChangeNotices } from './state/changeNotices'
import { StateLog } from './state/stateLog'
import { Watching } from './watching'

export interface HostOptions {
  readonly endpoint: Endpoint
  /** This process. */
  readonly self: ProcessIdentity
  readonly processes: ProcessTable
  readonly log: HostLog
  readonly idleMs: number
  /** The host has ended and everything is cleaned up. */
  readonly ended: () => void
}

/** A node worker of a dead host notices its channel closing and leaves; only then is one that stays an orphan. */
const nodeWorkersLeaveMs = 2000

/** The daemon of one workspace: owns its pools, and serves whoever connects. The lock is held by whoever makes one. */
export class Host {
  private readonly token = randomBytes(32).toString('hex')
  private readonly startedAt = Date.now()
  private readonly clients = new Set<Client>()
  private readonly state: StateLog
  private readonly notices: ChangeNotices
  private readonly pools: PoolRegistry
  private readonly killLog: KillLog
  private readonly kills: KillLedger
  private readonly watching: Watching
  private readonly idle: IdleWatch
  private ledger: WorkerLedger | undefined
  private listener: Listener | undefined
  private stopping: Promise<string[]> | undefined

  constructor(private readonly options: HostOptions) {
    const { endpoint, processes, log } = options
    this.notices = new ChangeNotices(() => { this.tellChanged() })
    this.state = new StateLog(() => { this.notices.changed() })
    this.pools = new PoolRegistry(this.state, (error) => { log.warn('A pool was not cleaned up.', error) })
    this.killLog = new KillLog(endpoint.killsFile)
    this.kills = new KillLedger({ sink: (entry) => { this.killLog.record(entry) } })
    this.watching = new Watching({
      processes, log,
      identities: () => this.pools.live().flatMap((pool) => pool.liveWorkers().flatMap(({ identity }) => identity ?? [])),
      setUsage: (samples) => { for (const pool of this.pools.live()) pool.setUsage(samples) },
      setMachine: (machine) => { this.state.setMachine(machine) },
    })
    this.idle = new IdleWatch(options.idleMs, () => this.isNeeded(), () => { void this.stop('nobody needs it any more') })
  }

  /** Takes over from a dead host, listens, and announces itself. */
  async start(): Promise<void> {
    const { endpoint, self, log } = this.options
    await removeStaleSockets(endpoint)
    await this.findOrphans()
    await this.removeOldOutput()
    this.listener = await Listener.open(endpoint, (socket) => {
      const client = new Client(socket, {
        token: this.token,
        version,
        log,
        handlers: this.handlers,
        serveLanguage: (connection) => new TasksLanguage(connection, endpoint.root, () => this.pools.headers()),
        ready: () => { log.info('A client is there.', { client: client.kind, clients: this.readyClients().length }) },
        gone: () => { this.clientGone(client) },
      })
      this.clients.add(client)
      this.idle.check()
    }, (error) => { log.error('Listening failed.', error) })
    await writeHostInfo(endpoint, {
      pid: self.pid, startTime: self.startTime, socketPath: this.listener.path, token: this.token, version, protocolVersion, startedAt: this.startedAt,
    })
    log.info('The host runs.', { pid: self.pid, version, root: endpoint.root, node: process.version })
    this.idle.check()
  }

  /**
   * Ends every pool through the shutdown core, then the host. Calling it twice is safe.
   * @returns the issues: what could not be ended, and stays in the ledger for the next host.
   */
  stop(why: string): Promise<string[]> {
    this.stopping ??= this.end(why)
    return this.stopping
  }

  private readonly handlers: RequestHandlers = {
    [Watch.method]: (params, client) => {
      client.watching = params
      this.updateWatching()
      return null
    },
    [GetSnapshot.method]: ({ since }) => this.state.snapshot(since),
    [LaunchPool.method]: async (params, client) => {
      const result = await this.launch(params)
      // Nothing but microtasks since its first worker was started, so nothing it prints has been read yet.
      if (params.follow === true) client.follow(result.poolId, this.pools.get(result.poolId).output)
      return result
    },
    [Shutdown.method]: async (params) => {
      const reports = await shutDownTargets(params.targets, this.pools, {
        kill: params.mode === 'kill',
        gracePeriodMs: params.gracePeriodMs,
        useSigkill: params.useSigkill,
        askedBy: params.askedBy,
        reason: params.reason ?? `${params.mode} asked by ${params.askedBy}`,
      })
      return { issues: reports.flatMap(({ issues }) => [...issues]), reports: reports.map(wireReport) }
    },
    [CancelTask.method]: async ({ poolId, taskId }) => {
      await this.pools.get(poolId).cancelTask(taskId, { kill: false, askedBy: 'user', reason: `task ${taskId} cancelled` })
      return null
    },
    [RetryTask.method]: ({ poolId, taskId }) => {
      this.pools.get(poolId).retryTask(taskId)
      return null
    },
    [GetFailures.method]: ({ poolId, limit }) => this.pools.get(poolId).failures(limit ?? 200),
    [FollowOutput.method]: ({ poolId, follow }, client) => {
      if (follow) client.follow(poolId, this.pools.get(poolId).output)
      else client.unfollow(poolId)
      return null
    },
    [RemovePool.method]: ({ poolId }) => {
      this.pools.remove(poolId)
      for (const client of this.clients) client.unfollow(poolId)
      return null
    },
    [HostStatus.method]: () => ({
      pid: this.options.self.pid,
      version,
      startedAt: this.startedAt,
      clients: this.readyClients().length,
      pools: this.pools.live().length,
      logFile: this.options.endpoint.logFile,
    }),
    [StopHost.method]: async () => ({ issues: await this.stop('a client asked for it') }),
  }

  private launch(params: LaunchPool.Params): Promise<LaunchPool.Result> {
    const { endpoint, processes, log } = this.options
    if (this.stopping) throw new RequestError(errorCodes.wrongState, 'This host is ending. Try again; a new one starts by itself.')
    return launchPool(params, {
      root: endpoint.root,
      outputDirectory: endpoint.outputDirectory,
      system: { processes, ledger: this.kills },
      adopt: (pool, label) => { this.adopt(pool, label) },
      onError: (error) => { log.error('The items of a pool ended early.', error) },
    })
  }

  private adopt(pool: Pool, label: string | null): void {
    const hosted: LivePool = new LivePool(pool, label, {
      headerChanged: () => { this.state.headerChanged(pool.id) },
      workerChanged: (name) => { this.state.workerChanged(pool.id, name) },
      workerRemoved: (name) => { this.state.workerRemoved(pool.id, name) },
      started: (worker, identity) => {
        this.ledger?.started({
          pid: identity.pid, startTime: identity.startTime, poolId: pool.id, pool: pool.name, kind: pool.kind, worker: worker.name,
          task: pool.kind === 'command' ? (worker.task?.label ?? null) : null, marker: markerOf(pool.id, worker.name), startedAt: worker.startedAt,
        })
      },
      exited: (identity) => { this.ledger?.exited(identity) },
      shutdown: (report, order) => { this.tellShutdown(report, order) },
      ended: () => { this.poolEnded(hosted) },
    })
    this.pools.add(hosted)
    this.options.log.info('A pool was launched.', { id: pool.id, name: pool.name, kind: pool.kind })
    this.idle.check()
  }

  private async findOrphans(): Promise<void> {
    const { endpoint, processes, log } = this.options
    const survivors = await findSurvivors(await readLedger(endpoint.ledgerFile), processes)
    this.ledger = new WorkerLedger(endpoint.ledgerFile, survivors.map(({ entry }) => entry), (error) => { log.warn('The ledger was not written.', error) })
    const nodeWorkers = survivors.filter(({ entry, descendantOf }) => entry.kind === 'module' && descendantOf === undefined)
    this.showOrphans(survivors.filter((survivor) => !nodeWorkers.includes(survivor)))
    if (nodeWorkers.length === 0) return
    setTimeout(() => {
      void findSurvivors(nodeWorkers.map(({ entry }) => entry), processes).then((stayed) => {
        for (const { entry } of nodeWorkers) if (!stayed.some((other) => other.entry.pid === entry.pid)) this.ledger?.exited(entry)
        this.showOrphans(stayed)
      })
    }, nodeWorkersLeaveMs).unref()
  }

  private showOrphans(survivors: readonly Survivor[]): void {
    const { processes, log } = this.options
    for (const poolId of new Set(survivors.map(({ entry }) => entry.poolId))) {
      const members = survivors.filter(({ entry }) => entry.poolId === poolId)
      const first: LedgerEntry | undefined = members[0]?.entry
      if (!first) continue
      const pool: OrphanedPool = new OrphanedPool(poolId, first.pool, members, processes, this.kills, {
        headerChanged: () => { this.state.headerChanged(poolId) },
        workerChanged: (name) => { this.state.workerChanged(poolId, name) },
        exited: (entry) => { this.ledger?.exited(entry) },
        shutdown: (report, order) => { this.tellShutdown(report, order) },
        ended: () => { this.poolEnded(pool) },
      })
      this.pools.add(pool)
      for (const name of pool.workerNames()) this.state.workerChanged(poolId, name)
      log.warn('A dead host left processes behind.', { pool: first.pool, pids: members.map(({ entry }) => entry.pid) })
    }
  }

  /** Output of hosts before this one: their pools are gone, and with them whoever could ask for it. */
  private async removeOldOutput(): Promise<void> {
    const { outputDirectory } = this.options.endpoint
    const names = await readdir(outputDirectory).catch(() => [])
    await Promise.all(names.map((name) => rm(join(outputDirectory, name), { recursive: true, force: true })))
  }

  private poolEnded(pool: HostedPool): void {
    const { id, name } = pool
    this.options.log.info('A pool has ended.', { id, name, counts: pool.header().counts })
    // What the workers wrote comes before the news that they have ended.
    for (const client of this.clients) client.flushOutput(id)
    this.idle.check()
  }

  private tellChanged(): void {
    const { rev } = this.state
    for (const client of this.clients) {
      client.notifyChanged(rev)
      client.poolsChanged()
    }
  }

  private tellShutdown(report: ShutdownReport, { askedBy, reason }: { askedBy: string; reason: string }): void {
    const { log } = this.options
    const wired = wireReport(report)
    if (report.issues.length > 0) log.warn('A shutdown has issues.', { askedBy, reason, issues: report.issues })
    else log.info('A shutdown is done.', { subject: report.subject, askedBy, reason, durationMs: wired.durationMs })
    for (const client of this.clients) client.send(ShutdownDone.method, { askedBy, reason, report: wired })
  }

  private clientGone(client: Client): void {
    if (!this.clients.delete(client)) return
    this.options.log.info('A client is gone.', { client: client.kind, clients: this.readyClients().length })
    this.updateWatching()
    this.idle.check()
  }

  private updateWatching(): void {
    this.watching.update([...this.clients].flatMap(({ watching }) => (watching && (watching.workers || watching.machine) ? watching : [])))
  }

  private readyClients(): Client[] {
    return [...this.clients].filter(({ kind }) => kind !== 'unknown')
  }

  /** Orphans do not keep a host: the ledger has them, and nothing is read from them. */
  private isNeeded(): boolean {
    return this.clients.size > 0 || this.pools.live().some((pool) => !pool.orphaned)
  }

  private async end(why: string): Promise<string[]> {
    const { endpoint, log } = this.options
    log.info('The host ends.', { why })
    this.idle.dispose()
    const order: ShutdownOrder = { kill: false, askedBy: 'host', reason: `the host ends: ${why}` }
    // Orphans are not ours to end: nobody asked for it, and the next host finds them in the ledger again.
    const own = this.pools.live().filter((pool) => !pool.orphaned)
    const reports = await Promise.allSettled(own.map((pool) => pool.shutdown(order)))
    const issues = reports.flatMap((report) => (report.status === 'fulfilled' ? [...report.value.issues] : [String(report.reason)]))
    // New clients find no host from here on, and start one, which waits for our lock.
    await removeHostInfo(endpoint, this.token)
    this.listener?.close()
    // The answer to whoever asked goes out first.
    setTimeout(() => { void this.leave() }, answerMs)
    return issues
  }

  private async leave(): Promise<void> {
    const { endpoint, log, ended } = this.options
    for (const client of this.clients) client.end()
    this.watching.update([])
    this.notices.dispose()
    const survivors = this.ledger?.size ?? 0
    this.ledger?.close()
    if (survivors === 0) await rm(endpoint.ledgerFile, { force: true })
    await rm(endpoint.outputDirectory, { recursive: true, force: true }).catch((error: unknown) => { log.warn('Output was not removed.', error) })
    log.info('The host has ended.', { survivors })
    await Promise.all([this.killLog.close(), log.close()])
    ended()
  }
}

/** As the engine sets UNHANG_WORKER. */
function markerOf(poolId: string, worker: string): string {
  return `${poolId}/${worker}`
}

/** Between the last answer and the end of its connection. */
const answerMs = 20
