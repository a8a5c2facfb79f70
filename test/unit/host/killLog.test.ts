import { mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KillLog } from '../../../src/host/ledger/killLog'
import type { KillLedgerEntry } from '../../../src/shutdown'

let folder: string
let file: string
const errors: unknown[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-kills-'))
  file = join(folder, 'kills.jsonl')
  errors.length = 0
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const entry = (pid: number, more = '') =>
  ({ identity: { pid, startTime: 'boot-1' }, signal: 'SIGTERM', reason: more }) as unknown as KillLedgerEntry
const open = () => new KillLog(file, (error) => errors.push(error))
const pidsIn = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as KillLedgerEntry).identity.pid)

describe('the kill ledger on disk', () => {
  it('has a signal as soon as it was told', () => {
    const log = open()
    log.record(entry(7))
    expect(pidsIn(file)).toEqual([7])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    log.close()
    const next = open()
    next.record(entry(8))
    next.close()
    expect(pidsIn(file)).toEqual([7, 8])
  })
  it('goes on behind half a line', () => {
    writeFileSync(file, '{"identity":{"pi')
    const log = open()
    log.record(entry(9))
    log.close()
    expect(readFileSync(file, 'utf8').split('\n').slice(1)).toEqual([JSON.stringify(entry(9)), ''])
  })
  it('keeps the newest two megabytes', () => {
    const log = open()
    for (let pid = 1; pid <= 3500; pid++) log.record(entry(pid, 'x'.repeat(1000)))
    log.close()
    expect([...pidsIn(`${file}.1`), ...pidsIn(file)].at(-1)).toBe(3500)
    expect(statSync(file).size + statSync(`${file}.1`).size).toBeLessThan(2.2 * 1024 * 1024)
    expect(statSync(`${file}.1`).size).toBeGreaterThan(1024 * 1024)
    expect(errors).toEqual([])
  })
  it.each(['a folder', 'a link'])('tells, and stops nothing, when there is %s in its place', (what) => {
    if (what === 'a folder') mkdirSync(file)
    else symlinkSync(join(folder, 'elsewhere'), file)
    const log = open()
    log.record(entry(7))
    log.close()
    expect(errors).toHaveLength(1)
  })
})
