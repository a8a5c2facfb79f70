import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { ESLint } from 'eslint'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** The house's own rules are tried on a house of three rooms, with the tools and settings of this one. */

const root = resolve(import.meta.dirname, '../../..')
let house: string

beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), 'unhang-nets-'))
  for (const shared of ['node_modules', 'tsconfig.json', '.dependency-cruiser.mjs', '.prettierrc.json', 'package.json'])
    symlinkSync(join(root, shared), join(house, shared))
  write('src/protocol/index.ts', 'export const version = 1\n')
  write('src/protocol/inner.ts', 'export const inner = 1\n')
  write('src/cli/index.ts', 'export const cli = 1\n')
})

afterEach(() => {
  rmSync(house, { recursive: true })
})

function write(file: string, text: string): void {
  mkdirSync(dirname(join(house, file)), { recursive: true })
  writeFileSync(join(house, file), text)
}

/** Runs a tool of node_modules in the house. */
function run(tool: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', tool), args, {
    cwd: house,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

const rooms = () => run('depcruise', '--config', '.dependency-cruiser.mjs', 'src')

describe('the rooms', () => {
  it('pass when every import is in the table and goes through an index', () => {
    write('src/host/deep/er/still/a.ts', "import { version } from '../../../../protocol'\nexport const a = version\n")
    expect(rooms()).toMatchObject({ status: 0, output: expect.stringContaining('no dependency violations') as string })
  })

  it('refuse an import against the table from a folder three levels deep', () => {
    write('src/host/deep/er/still/a.ts', "import { cli } from '../../../../cli'\nexport const a = cli\n")
    const { status, output } = rooms()
    expect(status).toBeGreaterThan(0)
    expect(output).toContain('imports-of-host: src/host/deep/er/still/a.ts → src/cli/index.ts')
  })

  it('refuse an import of types alone against the table', () => {
    write('src/protocol/a.ts', "import type { cli } from '../cli'\nexport type A = typeof cli\n")
    expect(rooms().output).toContain('imports-of-protocol: src/protocol/a.ts → src/cli/index.ts')
  })

  it('refuse an import that goes round the index of a room', () => {
    write('src/host/a.ts', "import { inner } from '../protocol/inner'\nexport const a = inner\n")
    const { status, output } = rooms()
    expect(status).toBeGreaterThan(0)
    expect(output).toContain('only-the-index: src/host/a.ts → src/protocol/inner.ts')
  })

  it('refuse a circle of files', () => {
    write('src/host/a.ts', "import { b } from './b'\nexport const a = (): number => b()\n")
    write('src/host/b.ts', "import { a } from './a'\nexport const b = (): number => a()\n")
    const { status, output } = rooms()
    expect(status).toBeGreaterThan(0)
    expect(output).toContain('no-circle-of-files')
  })

  it('refuse a circle of folders whose files make none', () => {
    write('src/host/one/a.ts', "import { c } from '../two/c'\nexport const a = c\n")
    write('src/host/two/c.ts', 'export const c = 1\n')
    write('src/host/two/d.ts', "import { e } from '../one/e'\nexport const d = e\n")
    write('src/host/one/e.ts', 'export const e = 1\n')
    const { status, output } = rooms()
    expect(status).toBeGreaterThan(0)
    expect(output).toContain('no-circle-of-folders')
    expect(output).not.toContain('no-circle-of-files')
  })

  it("refuse 'vscode' outside of the extension", () => {
    write('src/host/a.ts', "import * as vscode from 'vscode'\nexport const a = vscode.version\n")
    write('src/extension/a.ts', "import * as vscode from 'vscode'\nexport const a = vscode.version\n")
    const { output } = rooms()
    expect(output).toContain('vscode-in-extension-only: src/host/a.ts')
    expect(output).not.toContain('src/extension/a.ts')
  })

  it('refuse an import that leads nowhere, because its target could be anything', () => {
    write('src/host/a.ts', "import { gone } from './gone'\nexport const a = gone\n")
    expect(rooms().output).toContain('resolves: src/host/a.ts → ./gone')
  })
})

describe('the style', () => {
  const eslint = new ESLint({ cwd: root })

  it.each([
    ['a private member without #', 'export class A {\n  private readonly b = 1\n\n  c = () => this.b\n}\n', /#name/],
    [
      'a private parameter property',
      'export class A {\n  constructor(private readonly b: number) {}\n\n  c = () => this.b\n}\n',
      /#name/,
    ],
    ['the whole of zod', "import { z } from 'zod'\n\nexport const text = z.string()\n", /import \* as z/],
    ['a line over 120 columns', `export const a = '${'a '.repeat(60)}'\n`, /max-len/],
    ['a file over 400 lines', 'export {}\n'.repeat(401), /max-lines/],
  ])('refuses %s', async (_, text, rule) => {
    // By the name of a file of the project: rules that know types need its tsconfig.
    const [result] = await eslint.lintText(text, { filePath: join(root, 'src/host/main.ts') })
    expect(result?.messages.map(({ ruleId, message }) => `${ruleId ?? ''}: ${message}`).join('\n')).toMatch(rule)
  })

  it('refuses a file that is not formatted', () => {
    write('src/host/a.ts', 'export const a = { b:1 };\n')
    const { status, output } = run('prettier', '--check', 'src')
    expect(status).toBe(1)
    expect(output).toContain('src/host/a.ts')
  })

  it('names files in camelCase', () => {
    const names = ['src', 'test/unit', 'test/integration', 'test/harness', 'test/e2e']
      .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }))
      .filter((name) => /\.(?:ts|mjs|mts|cjs)$/.test(name))
    expect(names.length).toBeGreaterThan(500)
    expect(names.filter((name) => /[-A-Z_]/.test(basename(name)[0] ?? '-') || /[-_]/.test(basename(name)))).toEqual([])
  })
})

it('`npm run lint` calls all of them', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  for (const tool of ['prettier --check', 'eslint', 'rooms']) expect(scripts.lint).toContain(tool)
  expect(scripts.rooms).toContain('depcruise')
})
