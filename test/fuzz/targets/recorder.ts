import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RecorderError, RecorderFile, type RecordedProcess } from '../../../src/runtimes/observer/recorder'
import { mustEqual, scratchFolder, type FuzzTarget } from '../target'

const path = join(scratchFolder(), '4711-1.rec')

function check({ slot, name, label, holds, phase, pid }: RecordedProcess, slots: number): void {
  if (slot < 0 || slot >= slots) throw new Error(`slot ${slot} of ${slots}`)
  if (name.length > 48 || label.length > 96)
    throw new Error(`a name of ${name.length} and a label of ${label.length} characters`)
  if (holds.length > 2 || !['idle', 'running', 'sending'].includes(phase) || !Number.isInteger(pid))
    throw new Error(`nonsense: ${JSON.stringify({ holds, phase, pid })}`)
}

/** A recorder of one slot, as the observer writes it. */
function recording({
  slots = 1,
  slotBytes = 256,
  change,
}: { slots?: number; slotBytes?: number; change?: (slot: Buffer) => unknown } = {}): Buffer {
  const bytes = Buffer.alloc(4096 + slots * slotBytes)
  bytes.write('UNHANGR1', 0, 'latin1')
  bytes.writeUInt32LE(slots, 8)
  bytes.writeUInt32LE(slotBytes, 12)
  bytes.writeUInt32LE(4711, 20)
  bytes.writeBigUInt64LE(123456n, 24)
  const slot = bytes.subarray(4096, 4096 + slotBytes)
  slot.writeUInt32LE(1, 0)
  slot.writeUInt32LE(2, 4)
  slot.writeUInt32LE(4712, 8)
  slot.writeDoubleLE(1e9, 24)
  slot.write('ForkPoolWorker-1', 48)
  slot.writeUInt8(1, 104)
  slot.writeUInt8(1, 107)
  slot.write('f(1)', 160)
  slot.writeUInt32LE(4, 148)
  change?.(slot)
  return bytes
}

export const target: FuzzTarget = {
  run(input) {
    writeFileSync(path, input)
    let file: RecorderFile
    try {
      file = new RecorderFile(path)
    } catch (error) {
      if (error instanceof RecorderError) return
      throw error
    }
    try {
      const first = file.read()
      const slots = input.readUInt32LE(8)
      for (const one of first.processes) check(one, slots)
      mustEqual('read twice', first, file.read())
    } catch (error) {
      if (!(error instanceof RecorderError)) throw error
    } finally {
      file[Symbol.dispose]()
    }
  },
  seeds: [
    recording(),
    recording({ slots: 3, slotBytes: 300 }),
    recording({ change: (slot) => slot.writeBigUInt64LE(5n, 96) }),
    recording({ change: (slot) => slot.writeUInt32LE(1, 36) }),
    recording({ change: (slot) => slot.writeUInt32LE(2 ** 32 - 1, 148) }),
    Buffer.from('UNHANGR1'),
    recording({ slotBytes: 4096 }).subarray(0, 4200),
  ],
  dictionary: [
    Buffer.from('UNHANGR1'),
    ...[0, 1, 2, 96, 97, 255, 256, 4096, 4097, 2 ** 31, 2 ** 32 - 1].map((value) =>
      Buffer.from(new Uint32Array([value]).buffer),
    ),
    ...[NaN, Infinity, -1e308, 5e-324].map((value) => Buffer.from(new Float64Array([value]).buffer)),
    Buffer.alloc(8, 0xff),
    Buffer.from('\u{1F40D}'),
  ],
  // 4,096 slots of 4,096 bytes.
  largestAllocation: 2 ** 24,
}
