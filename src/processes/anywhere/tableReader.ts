import { setTimeout } from 'node:timers/promises'
import type { Systeminformation } from 'systeminformation'
import type { ProcessRow, ProcessState } from '../types'
import { isSameStart, parseStarted, startTimeFromSeconds } from './startTime'

/**
 * On these systems systeminformation repeats its last answer for half a second, in which a new process would not exist.
 */
const repeatsItself = process.platform === 'linux' || process.platform === 'win32'
const repeatsForMs = 510
/** Where a reading takes a second, one must do for all the looks of a shutdown's pass; `ps` takes some 20 ms. */
const recentMs = repeatsItself ? 1500 : 100

/** Reads the process table through systeminformation; calls made while a reading has not begun share it. */
export class TableReader {
  readonly #readList: () => Promise<Systeminformation.ProcessesProcessData[]>

  #lastEnd = -Infinity
  #next: Promise<Map<number, ProcessRow>> | undefined
  #running: Promise<unknown> = Promise.resolve()
  #last: ReadonlyMap<number, ProcessRow> = new Map()
  #lastBegin = -Infinity

  constructor(readList: () => Promise<Systeminformation.ProcessesProcessData[]> = readBySystemInformation) {
    this.#readList = readList
  }

  /**
   * The row of a pid from a reading that began a moment ago, else from a new one. Enough to look, too old to signal.
   */
  async recentRow(pid: number): Promise<ProcessRow | undefined> {
    const recent = performance.now() - this.#lastBegin <= recentMs ? this.#last.get(pid) : undefined
    return recent ?? (await this.byPid()).get(pid)
  }

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
    if (repeatsItself) await setTimeout(Math.max(0, this.#lastEnd + repeatsForMs - performance.now()))
    const begin = performance.now()
    const list = await this.#readList()
    this.#lastEnd = performance.now()
    const rows = new Map<number, ProcessRow>()
    for (const process_ of list) {
      const row = this.#withKnownStart(rowOf(process_))
      rows.set(row.identity.pid, row)
    }
    this.#last = rows
    this.#lastBegin = begin
    return rows
  }

  /** Keeps the start time of the reading before, so that the identity of a process does not flicker by a second. */
  #withKnownStart(row: ProcessRow): ProcessRow {
    const known = this.#last.get(row.identity.pid)
    return known !== undefined && isSameStart(known.identity, row.identity) ? { ...row, identity: known.identity } : row
  }
}

async function readBySystemInformation(): Promise<Systeminformation.ProcessesProcessData[]> {
  const { processes } = await import('../systemInformation')
  return (await processes()).list
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
