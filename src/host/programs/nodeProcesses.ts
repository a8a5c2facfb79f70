import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { NodeNotesFile, type NodeNote } from './nodeNotes'

/** Processes of one program that an observer is in; a build may start thousands, of which most are short. */
const mostProcesses = 4096

/** A Node process that the observer is in. */
export interface NodeProcess {
  readonly pid: number
  /** Field 22 of /proc/PID/stat; null where there is none. */
  readonly ticks: number | null
  /** `20.20.2` */
  readonly version: string
  /** It answers to SIGUSR1 with its stack; false when its inspector was open from the start. */
  readonly stacks: boolean
  /** The program handles SIGUSR1 itself, so that none may be sent. */
  takesSigusr1: boolean
}

/** A child that was started by such a process, or has ended. */
export type ChildNote = Extract<NodeNote, { kind: 'started' | 'ended' }>

/** The Node processes of one watched program, by the notes that their observers leave in the session folder. */
export class NodeProcesses {
  private readonly files = new Map<string, NodeNotesFile>()
  private readonly processes = new Map<string, NodeProcess>()

  constructor(private readonly directory: string) {}

  /** Of the main process if that is one, else of any; undefined when the program has no Node in it. */
  get version(): string | undefined {
    return this.processes.values().next().value?.version
  }

  /** A file of the session folder. */
  file(name: string): string {
    return join(this.directory, name)
  }

  find(pid: number, startTime: string): NodeProcess | undefined {
    return [...this.processes.values()].find((process) => process.pid === pid && (process.ticks === null || startTime.endsWith(`-${process.ticks}`)))
  }

  /** What was noted of children since the last call, in the order of each parent's notes. */
  read(): ChildNote[] {
    for (const name of this.names()) if (!this.files.has(name) && this.files.size < mostProcesses) this.files.set(name, new NodeNotesFile(this.file(name)))
    const notes: ChildNote[] = []
    for (const [name, file] of this.files) {
      for (const note of file.read()) {
        if (note.kind === 'started' || note.kind === 'ended') notes.push(note)
        else if (note.kind === 'hello') this.processes.set(name, { pid: note.pid, ticks: note.ticks, version: note.node, stacks: note.stacks, takesSigusr1: false })
        else this.takeSigusr1(name)
      }
    }
    return notes
  }

  private takeSigusr1(name: string): void {
    const process = this.processes.get(name)
    if (process !== undefined) process.takesSigusr1 = true
  }

  private names(): string[] {
    try {
      return readdirSync(this.directory).filter((name) => /^node-\d+\.jsonl$/.test(name))
    } catch {
      // The session is over and its folder gone.
      return []
    }
  }
}
