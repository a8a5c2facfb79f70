import { describe, expect, test } from 'vitest'
import { parseAuxiliaryVector } from '../../../src/processes/linux/kernel'
import { markerIn } from '../../../src/processes/linux/markers'
import { parseSignalMasks, parseSwitches, parseThreads } from '../../../src/processes/linux/status'

describe('signal masks', () => {
  const status = (masks: Partial<Record<string, string>> = {}): string =>
    ['SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt']
      .map((name) => `${name}:\t${masks[name] ?? '0'.repeat(16)}`)
      .join('\n')

  test('have bit 14 for SIGTERM', () => {
    const masks = parseSignalMasks(status({ SigIgn: '0000000000004000' }))
    expect([...masks!.ignored]).toEqual(['SIGTERM'])
    expect(masks!.caught.size + masks!.blocked.size + masks!.pending.size).toBe(0)
  })

  test('join what is pending for the thread and for the process', () => {
    const masks = parseSignalMasks(status({ SigPnd: '0000000000000001', ShdPnd: '0000000000000100' }))
    expect([...masks!.pending].sort()).toEqual(['SIGHUP', 'SIGKILL'])
  })

  test('leave out real-time signals, which have no name', () => {
    expect(parseSignalMasks(status({ SigCgt: 'fffffffe00000000' }))!.caught.size).toBe(0)
  })

  test('use one name where a number has two', () => {
    expect([...parseSignalMasks(status({ SigCgt: '0000000000000020' }))!.caught]).toEqual(['SIGABRT'])
  })

  test('of a kernel thread or another system are unknown', () => {
    expect(parseSignalMasks('Name:\tkthreadd\n')).toBeUndefined()
  })
})

describe('the number of threads', () => {
  test('is read from the same file', () => {
    expect(parseThreads('Name:\tpython3\nThreads:\t12\nSigQ:\t0/1\n')).toBe(12)
    expect(parseThreads('Name:\tpython3\n')).toBeUndefined()
    expect(parseSwitches('voluntary_ctxt_switches:\t41\nnonvoluntary_ctxt_switches:\t2\n')).toBe(43)
    expect(parseSwitches('Name:\tpython3\n')).toBeNull()
  })
})

describe('the auxiliary vector', () => {
  test('is read in words of 64 bits until its end', () => {
    const bytes = Buffer.alloc(64)
    bytes.writeBigUInt64LE(6n, 0)
    bytes.writeBigUInt64LE(16_384n, 8)
    bytes.writeBigUInt64LE(17n, 16)
    bytes.writeBigUInt64LE(100n, 24)
    bytes.writeBigUInt64LE(99n, 48)
    expect(parseAuxiliaryVector(bytes, 8)).toEqual(
      new Map([
        [6, 16_384],
        [17, 100],
      ]),
    )
  })

  test('is read in words of 32 bits', () => {
    const bytes = Buffer.alloc(16)
    bytes.writeUInt32LE(6, 0)
    bytes.writeUInt32LE(4096, 4)
    expect(parseAuxiliaryVector(bytes, 4)).toEqual(new Map([[6, 4096]]))
  })
})

describe('the marker in an environment', () => {
  test('is the value of UNHANG_WORKER', () => {
    expect(markerIn('PATH=/bin\0UNHANG_WORKER=pool-1/2\0HOME=/\0')).toBe('pool-1/2')
  })

  test('is not that of a variable that only ends so, or is quoted in another', () => {
    expect(markerIn('MY_UNHANG_WORKER=a\0X=UNHANG_WORKER=b\0')).toBeUndefined()
  })
})
