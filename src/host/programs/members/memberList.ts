import type { UsageSample } from '../../../processes'
import type { CountsSnapshot, WorkerSnapshot } from '../../../protocol'
import type { HostedPool } from '../../pools/hostedPool'
import type { ProgramMember } from './programMember'

/**
 * Exited workers that stay listed, as in the engine's own pools; one that took a task along stays beyond that, until it
 * is rescued.
 */
const listedExits = 100
/**
 * Lost tasks that stay listed when nobody rescues them: the first ones, which tell how it began, and the last ones;
 * together as many as failures in the engine's own pools. The others are only counted.
 */
const listedFirstLosses = 100
const listedLastLosses = 900

/** What a list tells of its changes. */
export interface MemberListObserver {
  workerChanged(name: string): void
  workerRemoved(name: string): void
}

/** The processes of one pool in a program (or of the program itself), live and exited, in the order they came. */
export class MemberList {
  readonly #observer: MemberListObserver

  readonly #members = new Map<string, ProgramMember>()
  readonly #drawn = new Map<string, string>()
  /** Of those that have exited, in the order they did, or were rescued. */
  readonly #recentExits = new Set<ProgramMember>()
  readonly #firstLosses = new Set<ProgramMember>()
  readonly #lastLosses = new Set<ProgramMember>()
  #exits = 0
  /** Of those that are no longer listed. */
  readonly #before = { done: 0, lost: 0, failed: 0 }

  constructor(observer: MemberListObserver) {
    this.#observer = observer
  }

  get exitedCount(): number {
    return this.#exits
  }

  /** Tasks that were lost with workers that are no longer listed. */
  get unlistedLosses(): number {
    return this.#before.lost
  }

  add(member: ProgramMember): void {
    this.#members.set(member.name, member)
  }

  has(member: ProgramMember): boolean {
    return this.#members.get(member.name) === member
  }

  remove(member: ProgramMember): void {
    if (!this.has(member)) return
    this.#members.delete(member.name)
    this.#drawn.delete(member.name)
    this.#observer.workerRemoved(member.name)
  }

  /** Names must differ in a list: a nested pool may name its workers as another does. */
  uniqueName(name: string, pid: number): string {
    return this.#members.has(name) ? `${name} (${pid})` : name
  }

  all(): ProgramMember[] {
    return [...this.#members.values()]
  }

  live(): ProgramMember[] {
    return this.all().filter((member) => member.live)
  }

  byPid(pid: number): ProgramMember | undefined {
    return this.live().find((member) => member.pid === pid)
  }

  names(): Iterable<string> {
    return this.#members.keys()
  }

  snapshot(name: string): WorkerSnapshot | undefined {
    return this.#members.get(name)?.snapshot()
  }

  /** Call when a member's exit was noted. */
  exited(member: ProgramMember): void {
    this.#exits += 1
    this.#listExit(member)
  }

  /**
   * Call when the task that a member took along was failed, or put back into the queue: it is listed as others that
   * have exited.
   */
  rescued(member: ProgramMember): void {
    if (this.#firstLosses.delete(member) || this.#lastLosses.delete(member)) this.#listExit(member)
  }

  /** Tells of every member that looks different from when this was last called; run times alone are no difference. */
  tellChanges(): void {
    for (const member of this.#members.values()) {
      const snapshot = member.snapshot()
      const { task } = snapshot
      const look = JSON.stringify([
        snapshot.status,
        snapshot.exitCode,
        snapshot.signal,
        snapshot.tasksDone,
        task && [task.id, task.label, task.state, task.stuck, task.verdict],
      ])
      if (this.#drawn.get(member.name) === look) continue
      this.#drawn.set(member.name, look)
      this.#observer.workerChanged(member.name)
    }
  }

  liveWorkers(): ReturnType<HostedPool['liveWorkers']> {
    return this.live().map((member) => ({
      name: member.name,
      pid: member.pid,
      identity: member.identity,
      taskId: member.hasTask ? member.taskId : null,
      stuck: member.verdict?.stuck === true,
    }))
  }

  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void {
    for (const member of this.live()) {
      const sample = samples?.get(member.pid)
      if (member.usage?.cpuPercent === sample?.cpuPercent && member.usage?.memoryBytes === sample?.memoryBytes) continue
      member.usage = sample
      this.#observer.workerChanged(member.name)
    }
  }

  counts(): Pick<CountsSnapshot, 'running' | 'done' | 'lost' | 'failed'> {
    let [running, { done, lost, failed }] = [0, this.#before]
    for (const member of this.#members.values()) {
      done += member.tasksDone
      if (member.hasLostTask) lost += 1
      else if (member.rescued === 'failed') failed += 1
      else if (member.live && member.hasTask) running += 1
    }
    return { running, done, lost, failed }
  }

  #listExit(member: ProgramMember): void {
    this.#recentExits.add(member)
    // What it took along is settled by now: the recorder may tell of it a little later than of the exit.
    const settled = oldestBeyond(this.#recentExits, listedExits)
    if (settled === undefined) return
    if (!settled.hasLostTask) {
      this.#unlist(settled)
      return
    }
    const losses = this.#firstLosses.size < listedFirstLosses ? this.#firstLosses : this.#lastLosses
    losses.add(settled)
    const surplus = oldestBeyond(this.#lastLosses, listedLastLosses)
    if (surplus !== undefined) this.#unlist(surplus)
  }

  #unlist(member: ProgramMember): void {
    this.#before.done += member.tasksDone
    if (member.hasLostTask) this.#before.lost += 1
    if (member.rescued === 'failed') this.#before.failed += 1
    this.remove(member)
  }
}

/** Takes the oldest out of a set that is larger than it may be. */
function oldestBeyond<Item>(items: Set<Item>, most: number): Item | undefined {
  if (items.size <= most) return undefined
  const [oldest] = items
  if (oldest !== undefined) items.delete(oldest)
  return oldest
}
