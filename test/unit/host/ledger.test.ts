import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readLedger, WorkerLedger, type LedgerEntry } from '../../../src/host/ledger/workerLedger'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uh-'))
  file = join(folder, 'ledger.jsonl')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const fail = (error: unknown) => {
  throw error as Error
}
const entry = (pid: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  pid,
  startTime: `s${pid}`,
  poolId: 'pool-1',
  pool: 'Resize',
  kind: 'command',
  worker: `PoolWorker-${pid}`,
  task: 'convert a',
  marker: null,
  startedAt: 1,
  ...more,
})

it('holds who was started and has not exited, the moment it is told', async () => {
  const ledger = new WorkerLedger(file, [], fail)
  ledger.started(entry(1))
  ledger.started(entry(2))
  ledger.exited(entry(1))
  expect(await readLedger(file)).toEqual([entry(2)])
  ledger.close()
})

it('can only be read by its owner', () => {
  new WorkerLedger(file, [], fail).close()
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('tells a reused pid from the process it was', async () => {
  const ledger = new WorkerLedger(file, [], fail)
  ledger.started(entry(1))
  ledger.exited({ pid: 1, startTime: 'another' })
  expect(await readLedger(file)).toEqual([entry(1)])
  ledger.close()
})

it('starts with the survivors of the host before', async () => {
  const ledger = new WorkerLedger(file, [entry(7)], fail)
  ledger.started(entry(8))
  expect((await readLedger(file)).map(({ pid }) => pid)).toEqual([7, 8])
  ledger.close()
})

it('stays small over a hundred thousand short processes', async () => {
  const ledger = new WorkerLedger(file, [entry(1)], fail)
  for (let pid = 2; pid < 50_000; pid++) {
    ledger.started(entry(pid))
    ledger.exited(entry(pid))
  }
  ledger.started(entry(99_999))
  expect(statSync(file).size).toBeLessThan(400_000)
  expect((await readLedger(file)).map(({ pid }) => pid)).toEqual([1, 99_999])
  ledger.close()
})

it('is read as far as it makes sense', async () => {
  const ledger = new WorkerLedger(file, [], fail)
  ledger.started(entry(1))
  ledger.close()
  appendFileSync(file, 'no json\n{"start":{"pid":"x"}}\n{"exit":{}}\n{"start":{"pid":2')
  expect(await readLedger(file)).toEqual([entry(1)])
})

it('is empty when there is none', async () => {
  expect(await readLedger(join(folder, 'none'))).toEqual([])
})

it('that cannot be written is reported, and throws nothing at the pool', () => {
  const errors: unknown[] = []
  const ledger = new WorkerLedger(join(folder, 'none', 'ledger.jsonl'), [], (error) => {
    errors.push(error)
  })
  ledger.started(entry(1))
  expect(errors).toHaveLength(1)
  expect(() => readFileSync(file)).toThrow()
})
