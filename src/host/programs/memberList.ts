import type { UsageSample } from '../../processes'
import type { CountsSnapshot, WorkerSnapshot } from '../../protocol'
import type { HostedPool } from '../pools/hostedPool'
import type { ProgramMember } from './programMember'

/** Exited workers that stay listed, as in the engine's own pools; one that took a task along stays beyond that. */
const listedExits = 100

/** What a list tells of its changes. */
export interface MemberListObserver {
  workerChanged(name: string): void
  workerRemoved(name: string): void
}

/** The processes of one pool in a program (or of the program itself), live and exited, in the order they came. */
export class MemberList {
  private readonly members = new Map<string, ProgramMember>()
  private readonly drawn = new Map<string, string>()
  private exits = 0
  private doneBefore = 0

  constructor(private readonly observer: MemberListObserver) {}

  get exitedCount(): number {
    return this.exits
  }

  add(member: ProgramMember): void {
    this.members.set(member.name, member)
  }

  has(member: ProgramMember): boolean {
    return this.members.get(member.name) === member
  }

  remove(member: ProgramMember): void {
    if (!this.members.delete(member.name)) return
    this.drawn.delete(member.name)
    this.observer.workerRemoved(member.name)
  }

  /** Names must differ in a list: a nested pool may name its workers as another does. */
  uniqueName(name: string, pid: number): string {
    return this.members.has(name) ? `${name} (${pid})` : name
  }

  all(): ProgramMember[] {
    return [...this.members.values()]
  }

  live(): ProgramMember[] {
    return this.all().filter((member) => member.live)
  }

  byPid(pid: number): ProgramMember | undefined {
    return this.live().find((member) => member.pid === pid)
  }

  names(): Iterable<string> {
    return this.members.keys()
  }

  snapshot(name: string): WorkerSnapshot | undefined {
    return this.members.get(name)?.snapshot()
  }

  /** Call when a member's exit was noted. */
  exited(): void {
    this.exits += 1
    const done = this.all().filter((member) => !member.live && (!member.hasTask || member.rescued !== undefined))
    for (const member of done.slice(0, Math.max(0, done.length - listedExits))) {
      this.doneBefore += member.tasksDone
      this.remove(member)
    }
  }

  /** Tells of every member that looks different from when this was last called; run times alone are no difference. */
  tellChanges(): void {
    for (const member of this.members.values()) {
      const snapshot = member.snapshot()
      const { task } = snapshot
      const look = JSON.stringify([snapshot.status, snapshot.exitCode, snapshot.signal, snapshot.tasksDone, task && [task.id, task.label, task.state, task.stuck, task.verdict]])
      if (this.drawn.get(member.name) === look) continue
      this.drawn.set(member.name, look)
      this.observer.workerChanged(member.name)
    }
  }

  liveWorkers(): ReturnType<HostedPool['liveWorkers']> {
    return this.live().map((member) => ({
      name: member.name, pid: member.pid, identity: member.identity, taskId: member.hasTask ? member.taskId : null, stuck: member.verdict?.stuck === true,
    }))
  }

  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void {
    for (const member of this.live()) {
      const sample = samples?.get(member.pid)
      if (member.usage?.cpuPercent === sample?.cpuPercent && member.usage?.memoryBytes === sample?.memoryBytes) continue
      member.usage = sample
      this.observer.workerChanged(member.name)
    }
  }

  counts(): Pick<CountsSnapshot, 'running' | 'done' | 'lost' | 'failed'> {
    let [running, done, lost, failed] = [0, this.doneBefore, 0, 0]
    for (const member of this.members.values()) {
      done += member.tasksDone
      if (!member.hasTask) continue
      if (member.live) running += 1
      else if (member.rescued === undefined) lost += 1
      else if (member.rescued === 'failed') failed += 1
    }
    return { running, done, lost, failed }
  }
}
