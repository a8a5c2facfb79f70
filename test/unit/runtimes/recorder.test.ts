import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RecorderError, RecorderFile } from '../../../src/runtimes'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uh-rec-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Slot {
  generation?: number
  exitCode?: number
  phase?: number
  counter?: number
  endCounter?: number
  job?: number
  index?: number
  locks?: [number, number]
  ready?: number
  name?: string
  label?: string
}

function slotBytes({
  generation = 1,
  exitCode,
  phase = 0,
  counter = 0,
  endCounter = counter,
  job = 0,
  index = 0,
  locks = [0, 0],
  ready = 1,
  name = '',
  label = '',
}: Slot): Buffer {
  const bytes = Buffer.alloc(256)
  bytes.writeUInt32LE(generation, 0)
  bytes.writeUInt32LE(1, 4)
  bytes.writeUInt32LE(4711, 8)
  bytes.writeBigUInt64LE(123n, 16)
  bytes.writeDoubleLE(1.5, 24)
  if (exitCode !== undefined) {
    bytes.writeInt32LE(exitCode, 32)
    bytes.writeUInt32LE(1, 36)
    bytes.writeDoubleLE(2.5, 40)
  }
  bytes.write(name, 48)
  bytes.writeBigUInt64LE(BigInt(counter), 96)
  bytes.writeUInt8(phase, 104)
  bytes.writeUInt8(locks[0], 105)
  bytes.writeUInt8(locks[1], 106)
  bytes.writeUInt8(ready, 107)
  bytes.writeBigInt64LE(BigInt(job), 112)
  bytes.writeBigInt64LE(BigInt(index), 120)
  bytes.writeBigUInt64LE(BigInt(endCounter), 136)
  bytes.writeUInt32LE(Buffer.byteLength(label), 148)
  bytes.write(label, 160)
  return bytes
}

function recorder(
  slots: readonly Slot[],
  { magic = 'UNHANGR1', claimed = slots.length, headerBytes = 256 } = {},
): RecorderFile {
  const header = Buffer.alloc(4096)
  header.write(magic)
  header.writeUInt32LE(claimed, 8)
  header.writeUInt32LE(headerBytes, 12)
  header.writeUInt32LE(99, 20)
  header.writeBigUInt64LE(7n, 24)
  const path = join(folder, '99-7.rec')
  writeFileSync(path, Buffer.concat([header, ...slots.map(slotBytes)]))
  return new RecorderFile(path)
}

describe('the flight recorder', () => {
  test('tells of each process: who, how it ended, what it was in and what it held', () => {
    using file = recorder([
      { name: 'MainProcess' },
      {
        name: 'ForkPoolWorker-1',
        exitCode: -9,
        phase: 1,
        counter: 8,
        job: 2,
        index: 7,
        locks: [1, 2],
        label: 'run(7)',
      },
    ])
    const { parentPid, parentStartTicks, processes } = file.read()
    expect([parentPid, parentStartTicks, processes.length]).toEqual([99, 7, 2])
    expect(processes[1]).toMatchObject({
      slot: 1,
      pid: 4711,
      startTicks: 123,
      name: 'ForkPoolWorker-1',
      startedAt: 1500,
      exitCode: -9,
      exitedAt: 2500,
      phase: 'running',
      counter: 8,
      job: 2,
      index: 7,
      holds: ['tasks'],
      ready: true,
      label: 'run(7)',
    })
    expect(processes[0]).toMatchObject({ exitCode: null, exitedAt: null, phase: 'idle', holds: [] })
  })

  test('leaves out slots that were never given away', () => {
    using file = recorder([{}, { generation: 0 }, { generation: 3 }])
    expect(file.read().processes.map(({ slot, generation }) => [slot, generation])).toEqual([
      [0, 1],
      [2, 3],
    ])
  })

  test('tells a worker that notes nothing of its tasks from one that has not asked for any', () => {
    using file = recorder([{ ready: 0 }, { ready: 1 }, { ready: 2 }])
    expect(file.read().processes.map(({ ready, untold }) => [ready, untold])).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ])
  })

  test('says of a task whose note is half written only that there is one', () => {
    using file = recorder([{}, { phase: 1, counter: 8, endCounter: 7, job: 2, index: 7, label: 'run(7)' }])
    expect(file.read().processes[1]).toMatchObject({ job: -1, index: -1, label: '', phase: 'running' })
  })

  test.each([
    ['another file', { magic: 'GARBAGE!' }],
    ['more slots than there can be', { claimed: 4_000_000 }],
    ['slots of no size', { headerBytes: 0 }],
  ])('refuses %s', (_, header) => {
    expect(() => recorder([{}], header).read()).toThrow(RecorderError)
  })

  test('reads as much as is there of a file that is shorter than it says', () => {
    using file = recorder([{}, {}], { claimed: 50 })
    expect(file.read().processes).toHaveLength(2)
  })

  test('refuses a file that is too short to be one', () => {
    const path = join(folder, 'x.rec')
    writeFileSync(path, 'UNHANGR1')
    expect(() => new RecorderFile(path)).toThrow(RecorderError)
  })
})
