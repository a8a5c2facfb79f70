import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mayImport } from '../../.dependency-cruiser.mjs'

/** src/README.md is a map: it is true, or it leads astray. */
const source = join(import.meta.dirname, '../../src')
const map = readFileSync(join(source, 'README.md'), 'utf8')

test('the table of rooms in src/README.md is the one that lint holds', () => {
  const rows = [...map.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, room, cell]) => [
    room,
    [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, other]) => other),
  ])
  expect(Object.fromEntries(rows)).toEqual({ ...mayImport, build: [] })
})

test('every room of src is in the table', () => {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => name).sort()).toEqual([...Object.keys(mayImport), 'build'].sort())
})

const paragraphs = [...map.matchAll(/^\*\*(\w+)\.\*\* ([^]*?)\n(?=\n|$)/gm)]

test('each room has its paragraph', () => {
  expect(paragraphs.map(([, room]) => room).sort()).toEqual(Object.keys(mayImport).sort())
})

test.each(paragraphs.map(([, room = '', text = '']) => [room, text] as const))(
  'the paragraph of %s names files and folders that exist',
  (room, text) => {
    const named = [...text.matchAll(/`((?:[\w-]+\/)*[\w-]+(?:\.(?:ts|py)|\/))`/g)].map(([, path = '']) => path)
    expect(named).not.toEqual([])
    const inRoom = readdirSync(join(source, room), { recursive: true, encoding: 'utf8' })
    const missing = named
      .map((path) => path.replace(/\/$/, ''))
      .filter((path) => !inRoom.some((file) => file === path || file.endsWith(`/${path}`)))
      .filter((path) => !existsSync(join(source, path)))
    expect(missing).toEqual([])
  },
)
