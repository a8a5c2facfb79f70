import { feederWrite } from '../../../diagnosis'
import {
  forEachInSlices,
  mostThreads,
  type ProcessIdentity,
  type ProcessTable,
  type SignalMasks,
} from '../../../processes'
import type { KillLedger } from '../../../shutdown'
import type { ParentView } from './parentView'
import type { ProgramMember } from './programMember'
import { steadyMs, steadyOf } from '../context/steadyTime'

/** A process that has used no CPU for this long is asked where it waits; one that works is left alone. */
const waitsAfterMs = 300
/** Signal masks of short tasks are nobody's business, and would be read thousands of times. */
const masksAfterMs = 300
/**
 * CPU time of what is below a worker costs a pass over the process table: made when its own time stands still for this
 * long, and not more often.
 */
const belowAfterMs = 1000
const belowEveryMs = 2000
/** A process that is no descendant may be one in the middle of its parent's death; not at every look. */
const mostTries = 3
/**
 * Looks at the processes of a program: state, CPU time, where they wait. One pass over all of them, some ten
 * microseconds each.
 */
export class MemberSampler {
  readonly #processes: ProcessTable
  readonly #kills: KillLedger
  readonly #belongs: (identity: ProcessIdentity) => Promise<boolean>

  #belowAt = -Infinity
  readonly #refused = new WeakMap<object, number>()
  readonly #below = new Map<ProgramMember, number>()

  /**
   * @param belongs Whether a process is one of the program's: what an observer or a recorder says is the program's
   * word, and no proof.
   */
  constructor(processes: ProcessTable, kills: KillLedger, belongs: (identity: ProcessIdentity) => Promise<boolean>) {
    this.#processes = processes
    this.#kills = kills
    this.#belongs = belongs
  }

  /** @param awaited Whether somebody waits for the member's pool: an idle pool is not looked into. */
  async observe(
    members: readonly ProgramMember[],
    parents: readonly ParentView[],
    awaited: (member: ProgramMember) => boolean,
    now: number,
  ): Promise<void> {
    await forEachInSlices([...members, ...parents], (process) =>
      process.identity === undefined ? this.#identify(process) : undefined,
    )
    const identities = [
      ...new Map(
        [...members, ...parents].flatMap(({ identity }) => (identity ? [[identity.pid, identity] as const] : [])),
      ).values(),
    ]
    const usage = await this.#processes.usage(identities)
    // What a program does to answer us is no progress of its own; on a slow machine that is percents of a core.
    const answering = new Map(parents.map(({ pid, observed }) => [pid, (observed?.ownCpu ?? 0) * 1000]))
    const cpuOf = (identity: ProcessIdentity | undefined): number => {
      const used = identity && usage.get(identity.pid)
      return used === undefined
        ? 0
        : Math.max(0, used.cpuTimeMs + (used.waitedCpuTimeMs ?? 0) - (answering.get(used.identity.pid) ?? 0))
    }
    await this.#lookBelow(members, now)
    for (const parent of parents) {
      parent.movement.observe(now, cpuOf(parent.identity), 0)
      const masks = parent.identity && (await this.#processes.signalMasks(parent.identity))
      parent.sigterm = masks ? sigtermOf(masks) : null
    }
    await forEachInSlices(members, async (member) => {
      const { identity } = member
      if (identity === undefined) return
      member.movement.observe(now, cpuOf(identity) + (this.#below.get(member) ?? 0), member.recorded?.counter ?? 0)
      const row = await this.#processes.inspect(identity)
      const state = row?.state ?? 'unknown'
      member.stateSeenTimes = state === member.state ? member.stateSeenTimes + 1 : 1
      member.state = state
      await this.#lookInto(member, awaited(member), now)
    })
    for (const member of this.#below.keys()) if (!member.live) this.#below.delete(member)
  }

  async #identify(process: ProgramMember | ParentView): Promise<void> {
    const found = await this.#processes.identify(process.pid)
    const ticks =
      'hello' in process ? process.hello.startTicks : (process.recorded?.startTicks ?? process.noted?.ticks ?? 0)
    // A pid alone could be somebody else by now.
    if (found === undefined || ticks === 0 || !found.startTime.endsWith(`-${ticks}`)) return
    const tries = this.#refused.get(process) ?? 0
    if (tries >= mostTries) return
    if (await this.#belongs(found)) {
      process.identity = found
      process.oomKillsBefore = await this.#processes.oomKills(found)
    } else {
      this.#refused.set(process, tries + 1)
    }
  }

  async #lookInto(member: ProgramMember, awaited: boolean, now: number): Promise<void> {
    const { identity, movement } = member
    if (identity === undefined) return
    await this.#lookWhereItWaits(member, awaited, now)
    if (!member.hasTask && member.recorded?.poolKey !== 0 && member.recorded !== undefined) {
      member.sigterm = null
      return
    }
    if (movement.watchedMs(now) < masksAfterMs) return
    const masks = await this.#processes.signalMasks(identity)
    member.sigterm = masks ? sigtermOf(masks) : null
    if (masks) member.standstill.noteSignals(masks)
    // Who starts a command holds all signals back for a moment.
    const wasPending = member.sigtermSeenPending
    member.sigtermSeenPending = masks?.pending.has('SIGTERM') ?? false
    member.sigtermPending = wasPending && member.sigtermSeenPending
    const sent = this.#kills
      .entriesFor(identity)
      .find(({ signal, outcome }) => signal === 'SIGTERM' && outcome === 'sent')
    if (sent !== undefined) member.sigtermSentAt ??= steadyOf(sent.at)
  }

  async #lookWhereItWaits(member: ProgramMember, awaited: boolean, now: number): Promise<void> {
    const { identity, movement } = member
    if (identity === undefined) return
    member.wait = null
    member.threadWaits = []
    let seen: Awaited<ReturnType<ProcessTable['waits']>>
    // What no observer tells of may have something to do at any time; and one that is stopped may be continued.
    if (
      (awaited || member.hasTask || member.recorded === undefined || member.state === 'stopped') &&
      (movement.quietMs(now) >= waitsAfterMs || member.state !== 'running')
    ) {
      seen = await this.#processes.waits(identity)
      member.wait = seen?.wait ?? null
      member.threads = seen?.threads ?? null
      if (mayWaitForThread(member)) member.threadWaits = (await this.#processes.threadWaits(identity)) ?? []
    }
    // Its stack shows where it was, and may be taken again.
    const seenAt = steadyMs()
    const hasMoved = member.standstill.observe(seenAt, member.wait, seen)
    const feeder = feederWrite(member)
    member.feeder.observe(seenAt, feeder ?? null, { switches: feeder?.switches ?? null })
    member.standstill.observeState(seenAt, member.state === 'stopped', hasMoved)
    if (hasMoved) member.stackCounter = -1
    if (
      member.forked === null &&
      member.wait?.kind === 'futex' &&
      member.wait.isPrivate &&
      member.recorded?.poolKey === 0
    )
      member.forked = await this.#isCopy(identity)
  }

  /** Started by fork() alone, it has the command line of its parent. */
  async #isCopy(identity: ProcessIdentity): Promise<boolean | null> {
    const row = await this.#processes.inspect(identity)
    const parent = row && (await this.#processes.identify(row.parentPid))
    const [own, other] = [
      await this.#processes.commandLine(identity),
      parent && (await this.#processes.commandLine(parent)),
    ]
    return own === undefined || other === undefined ? null : own.join('\0') === other.join('\0')
  }

  /** A task that waits for a process of its own is working when that one is. */
  async #lookBelow(members: readonly ProgramMember[], now: number): Promise<void> {
    const quiet = members.filter(
      (member) => member.hasTask && member.identity !== undefined && member.movement.quietMs(now) >= belowAfterMs,
    )
    if (quiet.length === 0 || now - this.#belowAt < belowEveryMs) return
    this.#belowAt = now
    const roots = quiet.flatMap(({ identity }) => (identity ? [{ identity }] : []))
    const below = await this.#processes.descendants(roots)
    const rows = [...below.values()].flat()
    if (rows.length === 0) return
    const usage = await this.#processes.usage(rows.map(({ identity }) => identity))
    for (const member of quiet) {
      const used = (below.get(member.pid) ?? []).reduce(
        (sum, row) => sum + (usage.get(row.identity.pid)?.cpuTimeMs ?? 0),
        0,
      )
      this.#below.set(member, Math.max(used, this.#below.get(member) ?? 0))
    }
  }
}

/** Idle workers of a pool are in line for a lock that they share: all of them but one, always. */
function mayWaitForThread({ wait, threads, hasTask, recorded }: ProgramMember): boolean {
  if (wait?.kind !== 'futex' || wait.timed || threads === null || threads < 2 || threads > mostThreads) return false
  return wait.isPrivate || wait.address === null || hasTask || recorded === undefined || recorded.poolKey === 0
}

function sigtermOf(masks: SignalMasks): ProgramMember['sigterm'] {
  if (masks.ignored.has('SIGTERM')) return 'ignored'
  if (masks.blocked.has('SIGTERM')) return 'blocked'
  return masks.caught.has('SIGTERM') ? 'caught' : 'default'
}
