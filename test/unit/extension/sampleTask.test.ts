import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser'
import { describe, expect, test } from 'vitest'
import { UntrustedWorkspaceError } from '../../../src/extension/client/connection'
import { addSampleTask, edited, findSampleTask } from '../../../src/extension/commands/addSampleTask'
import { createTasksFile, type NamedFolder } from '../../../src/extension/commands/createTasksFile'
import { sampleTask, sampleTasksFile } from '../../../src/extension/commands/sampleTasksFile'
import type { Prompts } from '../../../src/extension/prompts/prompts'

const twoSpaces = { tabSize: 2, insertSpaces: true, eol: '\n' }

function added(text: string, options = twoSpaces): string {
  const result = addSampleTask(text, options)
  if (result.kind !== 'edits') throw new Error(`${result.why}: ${result.detail}`)
  return edited(text, result.edits)
}

function parsed(text: string): { tasks: unknown[] } {
  const errors: ParseError[] = []
  const value = parse(text, errors, { allowTrailingComma: true }) as { tasks: unknown[] }
  expect(errors.map(({ error }) => printParseErrorCode(error))).toEqual([])
  return value
}

describe('The sample task', () => {
  test('is the same in a new file and in one that is there', () => {
    expect(parsed(sampleTasksFile).tasks).toEqual([sampleTask])
  })

  test('goes below the tasks that are there, whose comments and layout stay', () => {
    const before =
      '{\n  // ours\n  "version": "2.0.0",\n  "tasks": [\n    { "type": "shell",   "label": "Build" }, // keep\n ' +
      '   /* second */ { "label": "Test" }\n  ]\n}\n'
    const after = added(before)
    expect(parsed(after).tasks).toEqual([{ type: 'shell', label: 'Build' }, { label: 'Test' }, sampleTask])
    for (const line of [
      '  // ours',
      '    { "type": "shell",   "label": "Build" }, // keep',
      '    /* second */ { "label": "Test" }',
    ])
      expect(after).toContain(line)
    expect(after).toContain('\n      "items": ["one", "two", "three", "four", "five", "six", "seven", "eight"],\n')
  })

  test.each([
    ['a list that is empty', '{ "version": "2.0.0", "tasks": [] }', 1],
    ['a list that ends with a comma', '{\n  "tasks": [\n    { "label": "A" },\n  ]\n}', 2],
    ['a file without a list', '{\n  "version": "2.0.0" // only that\n}', 1],
    ['an object with nothing in it', '{}', 1],
    ['an empty file', '', 1],
    ['a file with only a comment', '// tasks go here\n', 1],
  ])('goes into %s', (_what, before, count) => {
    const { tasks } = parsed(added(before))
    expect(tasks).toHaveLength(count)
    expect(tasks.at(-1)).toEqual(sampleTask)
  })

  test('takes on the file’s tabs and line ends', () => {
    const after = added('{\r\n\t"tasks": [\r\n\t\t{ "label": "A" }\r\n\t]\r\n}\r\n', {
      tabSize: 4,
      insertSpaces: false,
      eol: '\r\n',
    })
    expect(after).toContain('\r\n\t\t\t"type": "pool",\r\n')
    expect(after.replaceAll('\r\n', '')).not.toContain('\n')
  })

  test('is added once, and found again', () => {
    const after = added('{ "tasks": [] }')
    expect(added(after)).toBe(after)
    const found = findSampleTask(after)
    expect(after.slice(found?.offset, (found?.offset ?? 0) + 1)).toBe('{')
    expect(findSampleTask('{ "tasks": [] }')).toBeUndefined()
  })

  test.each([
    ['cannot be parsed', '{ "tasks": [ { ] }', 'syntax'],
    ['is no object', '[]', 'no-object'],
    ['has a “tasks” that is no list', '{ "tasks": { } }', 'no-list'],
  ])('is not forced on a file that %s', (_what, text, why) => {
    expect(addSampleTask(text, twoSpaces)).toMatchObject({ kind: 'unreadable', why })
  })
})

describe('Creating tasks.json', () => {
  const folder = (name: string, scheme = 'file'): NamedFolder => ({ name, uri: { scheme, fsPath: `/home/me/${name}` } })
  const create = async (folders: NamedFolder[], { trusted = true, picks = '' } = {}) => {
    const written: string[] = []
    const offered: string[] = []
    const told: string[] = []
    const prompts: Prompts = {
      confirm: () => Promise.reject(new Error('nothing is asked')),
      pickOne: async (choices) =>
        (await choices).find(({ label }) => offered.push(label) > 0 && label === picks)?.value,
      pickMany: () => Promise.reject(new Error('nothing is picked')),
      pickLive: () => Promise.reject(new Error('nothing is picked')),
      input: () => Promise.reject(new Error('nothing is typed')),
      notify: (_severity, message) => Promise.resolve(void told.push(message)),
    }
    await createTasksFile({
      isTrusted: () => trusted,
      folders: () => folders,
      prompts: () => prompts,
      write: ({ name }) => Promise.resolve(void written.push(name)),
    })
    return { written, offered, told }
  }

  test('is refused in an untrusted workspace, whoever calls', async () => {
    await expect(create([folder('a')], { trusted: false })).rejects.toThrow(UntrustedWorkspaceError)
  })

  test('asks nothing with one folder', async () => {
    expect(await create([folder('a')])).toEqual({ written: ['a'], offered: [], told: [] })
  })

  test('asks which folder with several, and leaves all alone when nobody says', async () => {
    expect((await create([folder('a'), folder('b')], { picks: 'b' })).written).toEqual(['b'])
    expect(await create([folder('a'), folder('b')])).toEqual({ written: [], offered: ['a', 'b'], told: [] })
  })

  test('says so where there is no folder of this machine', async () => {
    const { written, told } = await create([folder('far', 'vscode-vfs')])
    expect(written).toEqual([])
    expect(told).toEqual([expect.stringContaining('Open a folder')])
  })
})
