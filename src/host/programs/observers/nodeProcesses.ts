import { opendirSync } from 'node:fs'
import { join } from 'node:path'
import { NodeNotesFile, type NodeNote } from './nodeNotes'

/** Processes of one program that an observer is in; a build may start thousands, of which most are short. */
const mostProcesses = 4096

/**
 * Read at a look, of all notes together, as it is done on the main thread: some hundredths of a second. A build that
 * starts a hundred processes a second writes two hundred.
 */
const linesPerLook = 2000
/** And as much as one file is read for at a time, some times over: the lines could be long. */
const bytesPerLook = 4 * 1024 * 1024
/** Files looked at in the folder: those of all processes that are listed, and what else an observer leaves there. */
const mostNames = 4 * mostProcesses

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
  readonly #directory: string

  readonly #files = new Map<string, NodeNotesFile>()
  readonly #processes = new Map<string, NodeProcess>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Of the main process if that is one, else of any; undefined when the program has no Node in it. */
  get version(): string | undefined {
    return this.#processes.values().next().value?.version
  }

  /** A file of the session folder. */
  file(name: string): string {
    return join(this.#directory, name)
  }

  find(pid: number, startTime: string): NodeProcess | undefined {
    return [...this.#processes.values()].find(
      (process) => process.pid === pid && (process.ticks === null || startTime.endsWith(`-${process.ticks}`)),
    )
  }

  /** What was noted of children since the last call, in the order of each parent's notes. */
  read(): ChildNote[] {
    for (const name of this.#names())
      if (!this.#files.has(name) && this.#files.size < mostProcesses)
        this.#files.set(name, new NodeNotesFile(this.file(name)))
    const notes: ChildNote[] = []
    const budget = { lines: linesPerLook, bytes: bytesPerLook }
    for (const [name, file] of [...this.#files]) {
      if (budget.lines <= 0 || budget.bytes <= 0) break
      // To the end of the queue: those that came too late are the first at the next look.
      this.#files.delete(name)
      this.#files.set(name, file)
      for (const note of file.read(budget)) {
        if (note.kind === 'started' || note.kind === 'ended') notes.push(note)
        else if (note.kind === 'hello')
          this.#processes.set(name, {
            pid: note.pid,
            ticks: note.ticks,
            version: note.node,
            stacks: note.stacks,
            takesSigusr1: false,
          })
        else this.#takeSigusr1(name)
      }
    }
    return notes
  }

  #takeSigusr1(name: string): void {
    const process = this.#processes.get(name)
    if (process !== undefined) process.takesSigusr1 = true
  }

  #names(): string[] {
    const names: string[] = []
    try {
      const folder = opendirSync(this.#directory, { bufferSize: 1024 })
      try {
        for (let seen = 0; seen < mostNames; seen += 1) {
          const entry = folder.readSync()
          if (entry === null) break
          if (/^node-\d+\.jsonl$/.test(entry.name)) names.push(entry.name)
        }
      } finally {
        folder.closeSync()
      }
    } catch {
      // The session is over and its folder gone.
    }
    return names
  }
}
