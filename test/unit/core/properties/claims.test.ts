import { readSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClaimFile } from '../../../../src/runtimes/wire/claims'

/** As src/runtimes/node/claim.ts does it, which knows its descriptor by number. */
function claim(fd: number): boolean {
  return readSync(fd, Buffer.alloc(1), 0, 1, null) === 1
}

describe('claims', () => {
  it('give each task to the worker or back to the pool, never to both', () => {
    // The worker's side works by the same open file; marks are what keeps it from claiming for what was taken back.
    fc.assert(
      fc.property(fc.array(fc.constantFrom('send', 'send', 'claim', 'recall'), { maxLength: 300 }), (steps) => {
        const file = ClaimFile.make()
        if (file === undefined) return
        try {
          let unclaimed = 0
          for (const step of steps) {
            if (step === 'send') {
              expect(file.hasRoom).toBe(true)
              file.grant()
              unclaimed++
            } else if (step === 'recall') {
              expect(file.recall()).toBe(unclaimed)
              // What it finds after the recall: nothing to claim, until more is sent.
              expect(unclaimed > 0 && claim(file.fd)).toBe(false)
              unclaimed = 0
            } else if (unclaimed > 0) {
              expect(claim(file.fd)).toBe(true)
              unclaimed--
            }
          }
        } finally {
          file.close()
        }
      }),
    )
  })

  it('outlast the file they are granted in: it grows', () => {
    const file = ClaimFile.make()
    if (file === undefined) return
    for (let n = 0; n < 40_000; n++) {
      expect(file.hasRoom).toBe(true)
      file.grant()
      if (n % 3 > 0) expect(claim(file.fd)).toBe(true)
    }
    expect(file.recall()).toBe(40_000 - Math.floor(40_000 / 3) * 2)
    file.close()
  })
})
