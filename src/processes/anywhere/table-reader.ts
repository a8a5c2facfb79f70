import type { Systeminformation } from 'systeminformation'
import type { ProcessRow, ProcessState } from '../types'
import { isSameStart, parseStarted, startTimeFromSeconds } from './start-time'

/** Reads the process table through systeminformation; calls made while a reading has not begun share it. */
export class TableReader {
  #next: Promise<Map<number, ProcessRow>> | undefined
  #running: Promise<unknown> = Promise.resolve()
  #last: ReadonlyMap<number, ProcessRow> = new Map()

  /** A reading that begins after this call. */
  byPid(): Promise<Map<number, ProcessRow>> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      const reading = this.#read()
      this.#running = reading.catch(() => undefined)
      return reading
    })
    return this.#next
  }

  async #read(): Promise<Map<number, ProcessRow>> {
    const { processes } = await import('systeminformation')
    const { list } = await processes()
    const rows = new Map<number, ProcessRow>()
    for (const process_ of list) {
      const row = this.#withKnownStart(rowOf(process_))
      rows.set(row.identity.pid, row)
    }
    this.#last = rows
    return rows
  }

  /** Keeps the start time of the reading before, so that the identity of a process does not flicker by a second. */
  #withKnownStart(row: ProcessRow): ProcessRow {
    const known = this.#last.get(row.identity.pid)
    return known !== undefined && isSameStart(known.identity, row.identity) ? { ...row, identity: known.identity } : row
  }
}

function rowOf(data: Systeminformation.ProcessesProcessData): ProcessRow {
  return {
    identity: { pid: data.pid, startTime: startTimeFromSeconds(parseStarted(data.started, process.platform)) },
    parentPid: data.parentPid,
    // Not told by systeminformation; no process leads session or group 0.
    processGroup: 0,
    session: 0,
    state: stateOf(data.state),
    command: data.name,
  }
}

function stateOf(state: string): ProcessState {
  switch (state) {
    case 'running':
      return 'running'
    case 'sleeping':
      return 'sleeping'
    case 'blocked':
      return 'uninterruptible'
    case 'stopped':
    case 'suspended blocked':
    case 'suspended ready':
      return 'stopped'
    case 'zombie':
      return 'zombie'
    default:
      return 'unknown'
  }
}
