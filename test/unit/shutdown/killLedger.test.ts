import { describe, expect, test, vi } from 'vitest'
import { KillLedger, type KillLedgerEntry } from '../../../src/shutdown'

function entry(pid: number, signal: NodeJS.Signals = 'SIGTERM'): KillLedgerEntry {
  return {
    at: pid,
    identity: { pid, startTime: 'boot-1' },
    name: 'PoolWorker-1',
    subjectId: 'pool-1',
    signal,
    outcome: 'sent',
    reason: 'test',
    askedBy: 'api',
  }
}

describe('the kill ledger', () => {
  test('tells what was sent to a process, oldest first, and nothing of another one with its pid', () => {
    const ledger = new KillLedger()
    ledger.record(entry(10, 'SIGTERM'))
    ledger.record(entry(20))
    ledger.record(entry(10, 'SIGKILL'))
    expect(ledger.entriesFor({ pid: 10, startTime: 'boot-1' }).map(({ signal }) => signal)).toEqual([
      'SIGTERM',
      'SIGKILL',
    ])
    expect(ledger.entriesFor({ pid: 10, startTime: 'boot-2' })).toEqual([])
  })

  test('forgets the oldest beyond its capacity', () => {
    const ledger = new KillLedger({ capacity: 3 })
    for (let pid = 1; pid <= 5; pid++) ledger.record(entry(pid))
    expect(ledger.entries().map(({ at }) => at)).toEqual([3, 4, 5])
    expect(ledger.entriesFor({ pid: 1, startTime: 'boot-1' })).toEqual([])
  })

  test('passes new entries on, and not those that were read back', () => {
    const sink = vi.fn()
    const ledger = new KillLedger({ sink, restored: [entry(1)] })
    expect(sink).not.toHaveBeenCalled()
    ledger.record(entry(2))
    expect(sink).toHaveBeenCalledExactlyOnceWith(entry(2))
    expect(ledger.entries()).toHaveLength(2)
  })

  test('keeps an entry that could not be passed on, and warns', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const ledger = new KillLedger({
      sink: () => {
        throw new Error('disk full')
      },
    })
    ledger.record(entry(1))
    expect(ledger.entries()).toHaveLength(1)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('disk full'))
    warn.mockRestore()
  })
})
