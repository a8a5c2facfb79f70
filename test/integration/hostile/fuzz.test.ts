import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const fuzzFolder = resolve(import.meta.dirname, '../../fuzz')

async function fuzz(...args: readonly string[]): Promise<{ code: number | null; printed: string }> {
  const child = spawn(process.execPath, [join(fuzzFolder, 'fuzz.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, printed }
}

describe('what others write', { retry: 0, timeout: 120_000 }, () => {
  it.each(readdirSync(join(fuzzFolder, 'targets')).map((file) => file.replace('.ts', '')))(
    'never crashes, hangs or bloats what reads it: %s',
    async (name) => {
      const { code, printed } = await fuzz(name, '--seconds', '3')
      expect(printed).toMatch(/^✓ .* \([1-9]\d* by the kept corpus of [1-9]\d*\)/m)
      expect(code).toBe(0)
    },
  )
})

/** Bugs that were put there: a fuzzer that finds nothing should be one that can. */
describe('the fuzzer finds', { retry: 0, timeout: 120_000 }, () => {
  const planted = async (parser: string): Promise<string> => {
    const folder = mkdtempSync(join(tmpdir(), 'unhang-planted-'))
    try {
      mkdirSync(join(folder, 'targets'))
      mkdirSync(join(folder, 'src'))
      writeFileSync(
        join(folder, 'src', 'parser.ts'),
        `const kept: unknown[] = []\nexport function parse(input: Buffer): void {\n  void kept\n  ${parser}\n}\n`,
      )
      writeFileSync(
        join(folder, 'targets', 'planted.ts'),
        "import { parse } from '../src/parser'\nexport const target = { run: parse, seeds: " +
          "[Buffer.from('seed')], dictionary: [Buffer.from('x')], largestAllocation: 1000 }\n",
      )
      const { code, printed } = await fuzz('planted', '--folder', folder, '--inputs', '300000', '--seconds', '60')
      expect(code).toBe(1)
      return printed
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  it('a crash that only coverage leads to', async () => {
    expect(
      await planted(
        'if (input[0] === 0x42) if (input[1] === 0x55) if (input[2] === 0x47) if (input[3] === 0x21) throw new ' +
          "Error('planted')",
      ),
    ).toContain('Error: planted')
  })
  it('an input that hangs', async () => {
    expect(await planted('if (input[0] === 0x42) for (;;);')).toContain('it hangs')
  })
  it('an allocation above the limit', async () => {
    expect(await planted('if (input[0] === 0x42) Buffer.alloc(1001)')).toContain(
      'an allocation of 1001 bytes (the limit is 1000)',
    )
  })
  it('memory that grows with every input', async () => {
    expect(await planted('kept.push(new Float64Array(1000))')).toMatch(/after \d+ inputs it has \d+ bytes more/)
  })
})
