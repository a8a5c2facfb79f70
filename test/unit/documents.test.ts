import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'media/docs')).map((name) => `media/docs/${name}`),
]

/** The allow-list of .vscodeignore as expressions over paths. */
const shipped = read('.vscodeignore')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => new RegExp(`^${line.slice(1).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`))

/** The targets of links and images; code is left out. */
function linksOf(text: string): string[] {
  const prose = text.replace(/```[^]*?```/g, '').replace(/`[^`\n]*`/g, 'code')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
}

/** The anchor that Markdown viewers give to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
const anchorsOf = (text: string): string[] => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!))

describe.each(pages)('%s', (page) => {
  const relative = linksOf(read(page)).filter((target) => !/^[a-z]+:/.test(target))

  test('is packaged', () => {
    expect(shipped.some((pattern) => pattern.test(page))).toBe(true)
  })

  test.each(relative)('links to a packaged file and an existing heading: %s', (target) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : normalize(join(dirname(page), path))
    expect(existsSync(join(root, file)), file).toBe(true)
    expect(
      shipped.some((pattern) => pattern.test(file)),
      `${file} in .vscodeignore`,
    ).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(read(file))).toContain(anchor)
  })
})

test('media/docs/verdicts.md has every code of the rules', () => {
  const rules = ['ownPools', 'watchedPools'].flatMap((folder) =>
    readdirSync(join(root, 'src/diagnosis', folder)).map((name) => read(`src/diagnosis/${folder}/${name}`)),
  )
  const given = new Set(rules.flatMap((text) => [...text.matchAll(/\bcode: '([a-z-]+)'/g)].map(([, code]) => code!)))
  const documented = [...read('media/docs/verdicts.md').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code!)
  expect(given.size).toBeGreaterThan(10)
  expect([...given].filter((code) => !documented.includes(code))).toEqual([])
})

test('links of the maps of the source lead to files', () => {
  for (const page of ['CONTRIBUTING.md', 'src/README.md', 'src/diagnosis/README.md'].filter((file) =>
    existsSync(join(root, file)),
  ))
    for (const target of linksOf(read(page)).filter((link) => !/^([a-z]+:|#)/.test(link)))
      expect(existsSync(join(root, dirname(page), target.split('#')[0]!)), `${page}: ${target}`).toBe(true)
})
