import { CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import type { Terminal } from '../../../src/cli/output/terminal'
import { buildProgram } from '../../../src/cli/program'

/** Parses without running anything: every line here ends before a command is reached. */
async function parse(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' }
  const terminal = {
    print: (text: string) => {
      said.out += text
    },
    note: (text: string) => {
      said.err += text
    },
  } as unknown as Terminal
  try {
    await buildProgram(terminal, () => undefined).parseAsync(['node', 'unhang', ...argv])
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode, ...said }
    throw error
  }
  throw new Error('a command ran')
}

describe('the command line', () => {
  it.each([['run'], ['why'], ['stacks'], ['rescue'], ['attach'], ['pool'], ['ps'], ['terminate'], ['kill'], ['host']])(
    'explains %s',
    async (command) => {
      const { code, out } = await parse(command, '--help')
      expect(code).toBe(0)
      expect(out).toContain(`Usage: unhang ${command}`)
    },
  )
  it('tells its version', async () => {
    expect((await parse('--version')).out).toMatch(/^\d+\.\d+\.\d+$/)
  })
  it.each([
    ['nonsense'],
    ['terminate'],
    ['pool'],
    ['ps', '--nonsense'],
    ['kill', 'a', 'b'],
    ['host', 'restart'],
    ['run'],
    ['run', '--nonsense', '--', 'true'],
    ['rescue'],
    ['rescue', 'x', '--fail', '--retry'],
    ['stacks', 'x'],
    ['stacks', '1'],
    ['attach', '-1'],
    ['run', '--on-stuck', 'cry', '--', 'true'],
    ['run', '--stack-signal', '65', '--', 'true'],
  ])('refuses %s %s with one line', async (...argv) => {
    const { code, err } = await parse(...argv.filter(Boolean))
    expect(code).not.toBe(0)
    expect(err).toMatch(/^unhang: /)
  })
  it.each(['-1', '1.5', 'soon', '', '3600001'])(
    'refuses %j as a grace period and says what to write',
    async (value) => {
      const { code, err } = await parse('terminate', 'x', `--grace-ms=${value}`)
      expect(code).not.toBe(0)
      expect(err).toContain('--grace-ms')
      expect(err).toContain('from 0 to 3600000')
    },
  )
  it('does not take the -- for a name', async () => {
    expect((await parse('run', '--name', '--', 'true')).err).toContain(
      'The name is missing: unhang run --name training -- python3 train.py',
    )
  })
  it.each(['stacks', 'attach'])('says why %s does not touch process 1', async (command) => {
    expect((await parse(command, '1')).err).toContain('Process 1 is what all others descend from: it is never touched.')
  })
  it('says where the -- goes when an option of the program is taken for one of ours', async () => {
    expect((await parse('run', 'python3', 'train.py', '--fast')).err).toContain('write -- before the program')
  })
  it('proposes the command that was meant', async () => {
    expect((await parse('terminat', 'x')).err).toContain('Did you mean terminate?')
  })
})
