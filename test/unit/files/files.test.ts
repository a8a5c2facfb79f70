import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  FileRefusedError,
  filledLines,
  openForeignFile,
  openOwnFile,
  readOwnFile,
  removeFolder,
  writeOwnFile,
} from '../../../src/files'
import { answerTo } from '../../../src/files/reader/answer'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-files-')))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const at = (name: string): string => join(folder, name)
const make = (name: string, text = 'text'): string => {
  writeFileSync(at(name), text)
  return at(name)
}
const fifo = (name: string): string => {
  execFileSync('mkfifo', [at(name)])
  return at(name)
}
const link = (target: string, name: string): string => {
  symlinkSync(target, at(name))
  return at(name)
}

describe('a file of ours', () => {
  test('is read, up to a limit', () => {
    expect(readOwnFile(make('own'), 4)).toBe('text')
    expect(() => readOwnFile(at('own'), 3)).toThrow(/own has 4 bytes; 3 are read at most/)
  })

  test.each([
    ['a link', () => link(make('other'), 'name'), /is a symbolic link/],
    ['a FIFO', () => fifo('name'), /a FIFO/],
    [
      'a folder',
      () => {
        mkdirSync(at('name'))
        return at('name')
      },
      /a folder/,
    ],
    [
      'another name of some file',
      () => {
        linkSync(make('other'), at('name'))
        return at('name')
      },
      /has 2 names/,
    ],
  ])('that is %s by now is refused at once, for reading and for writing', (_, plant, message) => {
    const path = plant()
    expect(() => openOwnFile(path)).toThrow(FileRefusedError)
    expect(() => openOwnFile(path)).toThrow(message)
    expect(() => openOwnFile(path, 'write')).toThrow(FileRefusedError)
  })

  test.each([
    ['a link', () => link(make('other'), 'name')],
    ['a FIFO', () => fifo('name')],
  ])('is written in place of %s, not through it', (_, plant) => {
    const path = plant()
    writeOwnFile(path, 'ours')
    expect(lstatSync(path).isFile()).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('ours')
    if (existsSync(at('other'))) expect(readFileSync(at('other'), 'utf8')).toBe('text')
    expect(readdirSync(folder).filter((name) => name.startsWith('name.'))).toEqual([])
  })
})

describe('a file of somebody else', () => {
  const read = (path: string): string => {
    const { descriptor } = openForeignFile(path)
    try {
      return readFileSync(descriptor, 'utf8')
    } finally {
      closeSync(descriptor)
    }
  }

  test('may be reached through links, also relative ones and those of folders', () => {
    mkdirSync(at('a'))
    make('a/file')
    link('a', 'b')
    link('../file', 'a/up')
    make('file', 'above')
    expect([read(at('b/file')), read(link('b/file', 'c')), read(at('b/up'))]).toEqual(['text', 'text', 'above'])
  })

  test.each([
    ['a FIFO', () => fifo('x'), /no regular file but a FIFO/],
    ['a link to a FIFO', () => link(fifo('y'), 'x'), /no regular file but a FIFO/],
    ['a device', () => '/dev/zero', /\/proc, \/dev or \/sys/],
    ['a descriptor', () => '/dev/fd/0', /\/proc, \/dev or \/sys/],
    ['a link to a link to a descriptor', () => link(link('/proc/self/fd/0', 'y'), 'x'), /\/proc, \/dev or \/sys/],
    ['a file below a link to /proc', () => join(link('/proc', 'x'), 'self', 'environ'), /\/proc, \/dev or \/sys/],
    ['a way back into /proc', () => link(`${'../'.repeat(20)}proc/self/maps`, 'x'), /\/proc, \/dev or \/sys/],
    [
      'links in a circle',
      () => {
        link(at('y'), 'x')
        return link(at('x'), 'y')
      },
      /too many symbolic links/,
    ],
  ])('is refused when it is %s', (_, plant, message) => {
    expect(() => openForeignFile(plant())).toThrow(message)
  })

  test.skipIf(!existsSync('/dev/shm'))('in /dev/shm is one as any', () => {
    const shared = mkdtempSync('/dev/shm/uh-files-')
    try {
      writeFileSync(join(shared, 'file'), 'text')
      expect(read(join(shared, 'file'))).toBe('text')
    } finally {
      rmSync(shared, { recursive: true })
    }
  })
})

describe('lines', () => {
  const longest = 1024 * 1024
  const both = (text: string): [string[], number] => {
    const path = make('lines', text)
    const answer = answerTo({ kind: 'lines', path })
    return [[...filledLines(path)], answer.kind === 'lines' ? answer.total : -1]
  }

  test.each([
    ['', []],
    ['\n\r\n', []],
    ['\r', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\r\nb', ['a', 'b']],
    ['\n\na\n\n\nb\r', ['a', 'b']],
    ['a\rb\n', ['a\rb']],
    [`${'x'.repeat(65_535)}\r\ny`, ['x'.repeat(65_535), 'y']],
    [`${'x'.repeat(65_536)}\n${'ü'.repeat(40_000)}\nz`, ['x'.repeat(65_536), 'ü'.repeat(40_000), 'z']],
    [`${'x'.repeat(longest)}\nz`, ['x'.repeat(longest), 'z']],
  ])('are counted as they are read: %#', (text, expected) => {
    expect(both(text)).toEqual([expected, expected.length])
  })

  test.each([
    [`a\n${'x'.repeat(longest + 1)}\n`, /no line feed in more than .* at line 2/],
    [`a\n${'\n'.repeat(200_000)}b\n`, /empty lines in a row/],
  ])('that would be read for long without an item are refused: %#', (text, message) => {
    const path = make('lines', text)
    expect(answerTo({ kind: 'lines', path })).toMatchObject({
      kind: 'fault',
      reason: expect.stringMatching(message) as unknown,
    })
    expect(() => [...filledLines(path)]).toThrow(message)
  })
})

describe('a folder of ours', () => {
  test('is removed with all that was put into it, and no link is followed', async () => {
    const elsewhere = make('elsewhere')
    mkdirSync(at('other'))
    make('other/file')
    mkdirSync(at('session/inner'), { recursive: true })
    make('session/inner/x')
    link(elsewhere, 'session/link')
    link(at('other'), 'session/folder')
    fifo('session/fifo')
    await removeFolder(at('session'))
    expect(readdirSync(folder).sort()).toEqual(['elsewhere', 'other'])
    expect(readFileSync(at('other/file'), 'utf8')).toBe('text')
  })

  test('that has become a link, or was never there, leaves everything else alone', async () => {
    mkdirSync(at('other'))
    make('other/file')
    link(at('other'), 'session')
    expect(readlinkSync(at('session'))).toBe(at('other'))
    await removeFolder(at('session'))
    await removeFolder(at('never'))
    expect(readdirSync(folder)).toEqual(['other'])
    expect(readdirSync(at('other'))).toEqual(['file'])
  })
})
