import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkDefinition } from '../../../src/host/launch/checkDefinition'
import { keyOf } from '../../../src/protocol/schemas'
import { readHere } from '../files/readHere'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'uh-')))
  write('till.py')
  write('shop/__init__.py')
  write('shop/till.py')
  write('shop/fast.cpython-313-x86_64-linux-gnu.so')
  write('shop/stock/__init__.py')
  write('spread/one.py')
  write('moved/__init__.py', '__path__.append("elsewhere")')
  program('bin/python3')
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function write(path: string, text = ''): string {
  const absolute = join(root, path)
  mkdirSync(dirname(absolute), { recursive: true })
  writeFileSync(absolute, text)
  return absolute
}
function program(path: string): string {
  const absolute = write(path)
  chmodSync(absolute, 0o755)
  return absolute
}

const check = (definition: Record<string, unknown>, pythonPath?: string) =>
  checkDefinition(
    { items: [1], ...definition },
    root,
    { PATH: join(root, 'bin') },
    { pythonPath },
    { purpose: 'launch', read: readHere },
  )
const problemsOf = async (definition: Record<string, unknown>, pythonPath?: string) => {
  const result = await check(definition, pythonPath)
  return result.ok ? [] : result.problems.map(({ path, code, message }) => ({ key: keyOf(path), code, message }))
}
const interpreterOf = async (definition: Record<string, unknown>, pythonPath?: string) => {
  const result = await check(definition, pythonPath)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.checked.interpreter
}

describe('the module of a Python pool', () => {
  it.each([
    'till:total',
    'till',
    'shop:total',
    'shop.till:total',
    'shop.fast:total',
    'shop.stock:total',
    // From somewhere else, perhaps: the worker will say it.
    'numpy.linalg:norm',
    'spread.two:total',
    'moved.two:total',
    '${env:NOTHING}till:total',
  ])('may be there: %s', async (python) => {
    expect(await problemsOf({ python })).toEqual([])
  })

  it.each([
    ['shop.tills:total', 'the package "shop" (', 'has no module "tills"'],
    ['shop.stock.tills:total', 'the package "shop.stock" (', 'as in "shop.stock:total"'],
    ['shop.till.total', '"shop.till" is a module', 'Write "shop.till:total"'],
    ['till.total', '"till" is a module', 'Write "till:total"'],
  ])('is not there: %s', async (python, fault, fix) => {
    const [problem, ...others] = await problemsOf({ python })
    expect(others).toEqual([])
    expect(problem).toMatchObject({ key: 'python', code: 'not-found' })
    expect(problem?.message).toContain(fault)
    expect(problem?.message).toContain(fix)
  })
})

describe('the interpreter of a Python pool', () => {
  const python = 'till:total'

  it("is the task's own, else that of the settings, else found", async () => {
    const own = program('tools/python3.9')
    const ofSettings = program('tools/python3.10')
    expect(await interpreterOf({ python, pythonPath: 'tools/python3.9' }, ofSettings)).toBe(own)
    expect(await interpreterOf({ python }, '${workspaceFolder}/tools/python3.10')).toBe(ofSettings)
    expect(await interpreterOf({ python })).toBe(join(root, 'bin/python3'))
    const environment = program('.venv/bin/python')
    expect(await interpreterOf({ python })).toBe(environment)
    expect(await interpreterOf({ python: 'stock:total', cwd: 'shop' })).toBe(environment)
  })

  it('is nothing to a pool of another kind', async () => {
    expect(await interpreterOf({ command: 'true' }, 'no/python')).toBeUndefined()
  })

  it('is not looked for where the settings are not known, unless the task names it', async () => {
    const given = { python, items: [1], env: { PATH: '/nowhere' } }
    expect(await checkDefinition(given, root, {}, undefined, { purpose: 'launch', read: readHere })).toMatchObject({
      ok: true,
      checked: { interpreter: undefined },
    })
    expect(
      await checkDefinition({ ...given, pythonPath: 'no/python' }, root, {}, undefined, {
        purpose: 'launch',
        read: readHere,
      }),
    ).toMatchObject({ ok: false })
  })

  it('that is not there is told at the key, and the setting by its name', async () => {
    expect(await problemsOf({ python, pythonPath: 'no/python' })).toMatchObject([
      {
        key: 'pythonPath',
        code: 'not-found',
        message: expect.stringContaining(`"pythonPath": there is no ${join(root, 'no/python')}`) as string,
      },
    ])
    expect(await problemsOf({ python }, 'no/python')).toMatchObject([
      {
        key: 'python',
        message: expect.stringContaining('"python": the setting "unhang.pythonPath": there is no') as string,
      },
    ])
    expect(await problemsOf({ python, env: { PATH: '/nowhere' } })).toMatchObject([
      { key: 'python', message: expect.stringContaining('there is no Python') as string },
    ])
  })
})
