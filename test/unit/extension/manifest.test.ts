import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { verdictTemplates } from '../../../src/build/verdictTemplates.mjs'
import { commandIds, rowOnlyCommands } from '../../../src/extension/contributions/commands'
import { contextKeys } from '../../../src/extension/contributions/contextKeyNames'
import { settingDefaults } from '../../../src/extension/contributions/settingKeys'
import { taskDefinitionContribution } from '../../../src/extension/contributions/taskDefinition'
import { poolContextValue, taskContextValue, workerContextValue } from '../../../src/extension/view/contextValue'
import { noProgress, poolHeader, programPool, task, watchedPool, worker } from './samples'
import { pattern } from '../../pattern'

interface MenuEntry {
  command: string
  when?: string
  group?: string
}
interface Manifest {
  keywords: string[]
  activationEvents: string[]
  icon: string
  contributes: {
    commands: { command: string; title: string; category: string; enablement?: string }[]
    configuration: {
      properties: Record<string, { default: unknown; markdownDescription: string; order: number; scope: string }>
    }
    menus: Record<string, MenuEntry[]>
    taskDefinitions: unknown[]
    views: Record<string, { id: string; icon: string; when?: string }[]>
    viewsWelcome: { view: string; contents: string; when: string }[]
    walkthroughs: { steps: { completionEvents: string[]; media: { svg: string; altText: string } }[] }[]
  }
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } }
}

const file = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')
const manifest = JSON.parse(file('package.json')) as Manifest
const texts = JSON.parse(file('package.nls.json')) as Record<string, string>
const { contributes } = manifest
const whens = (): string[] => JSON.stringify(manifest).match(/"(?:when|enablement)":"(?:[^"\\]|\\.)*"/g) ?? []

/** Commands offered inline for a row. */
function inlineCommands(viewItem: string): string[] {
  return (contributes.menus['view/item/context'] ?? [])
    .filter(({ when, group }) => group?.startsWith('inline') && matches(when, viewItem))
    .map(({ command }) => command)
}

function menuCommands(viewItem: string): string[] {
  return (contributes.menus['view/item/context'] ?? [])
    .filter(({ when, group }) => !group?.startsWith('inline') && matches(when, viewItem))
    .map(({ command }) => command)
}

function matches(when: string | undefined, viewItem: string): boolean {
  const pattern = /viewItem =~ \/(.*)\/$/.exec(when ?? '')?.[1]
  return pattern !== undefined && new RegExp(pattern).test(viewItem)
}

describe('package.json', () => {
  test('contributes exactly the commands of the code', () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual([...commandIds].sort())
  })

  test('gives every command a title and the category Pools', () => {
    for (const { command, title, category } of contributes.commands) {
      expect(texts[title.slice(1, -1)], command).toBeTruthy()
      expect(texts[category.slice(1, -1)]).toBe('Pools')
    }
  })

  test('keeps commands that only make sense on a row out of the palette', () => {
    const hidden = (contributes.menus.commandPalette ?? [])
      .filter(({ when }) => when === 'false')
      .map(({ command }) => command)
    expect(hidden).toEqual(rowOnlyCommands)
  })

  test('names no unknown command in menus, welcome contents and walkthroughs', () => {
    const ours = new Set<string>([...commandIds, 'unhang.pools.focus'])
    const { menus, walkthroughs } = contributes
    const mentioned =
      [JSON.stringify(menus), ...Object.values(texts), JSON.stringify(walkthroughs)]
        .join(' ')
        .match(/(?:command:|onCommand:|"command":")(unhang\.[\w.]+)/g) ?? []
    const ids = mentioned.map((text) => text.replace(/^.*?(?=unhang\.)/, ''))
    expect(ids.filter((id) => !ours.has(id))).toEqual([])
    expect(ids.length).toBeGreaterThan(20)
  })

  test('declares exactly the settings of the code, with the same defaults', () => {
    const declared = Object.fromEntries(
      Object.entries(contributes.configuration.properties).map(([key, { default: value }]) => [key, value]),
    )
    const expected = Object.fromEntries(Object.entries(settingDefaults).map(([key, value]) => [`unhang.${key}`, value]))
    expect(declared).toEqual(expected)
  })

  test('lets a folder of somebody else choose no executable', () => {
    const { properties } = contributes.configuration
    for (const [key, { scope }] of Object.entries(properties)) {
      if (key.endsWith('Path'))
        expect([scope, manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes(key)]).toEqual([
          'machine-overridable',
          true,
        ])
    }
  })

  test('uses only context keys that the code sets', () => {
    const used = new Set(whens().flatMap((when) => when.match(/\bunhang\.(?!pools\b|machine\b)\w+/g) ?? []))
    expect([...used].sort()).toEqual([...contextKeys].sort())
  })

  test('has the task definition that the host checks', () => {
    const { definition, texts: expected } = taskDefinitionContribution()
    expect(contributes.taskDefinitions, 'run `npm run contributions`').toEqual([definition])
    expect(Object.fromEntries(Object.entries(texts).filter(([key]) => key.startsWith('taskDefinition.')))).toEqual(
      expected,
    )
  })

  test('has a text for every %key%, and no text that nobody uses', () => {
    const used = new Set((JSON.stringify(manifest).match(/"%([\w.]+)%"/g) ?? []).map((key) => key.slice(2, -2)))
    expect([...used].sort()).toEqual(Object.keys(texts).sort())
  })

  test('has only translatable texts where a person reads them', () => {
    const readable = pattern(
      /"(?:title|description|markdownDescription|contents|name|altText|category|contextualTitle|displayName)"/g,
      /:"((?:[^"\\]|\\.)*)"/,
    )
    const untranslated = [...JSON.stringify({ contributes, capabilities: manifest.capabilities }).matchAll(readable)]
      .map(([, text]) => text)
      .filter((text) => !/^%.*%$/.test(text ?? ''))
    expect(untranslated).toEqual([])
  })

  test('activates on startup only, everything else activates by itself', () => {
    expect(manifest.activationEvents).toEqual(['onStartupFinished'])
  })

  test('has at most five keywords, an icon of 256 pixels and an icon for each view', () => {
    expect(manifest.keywords.length).toBeLessThanOrEqual(5)
    const png = readFileSync(new URL(`../../../${manifest.icon}`, import.meta.url))
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([256, 256])
    for (const { icon } of Object.values(contributes.views).flat()) expect(file(icon)).toContain('<svg')
  })

  test('has a walkthrough of at most five steps, each with a picture and a way to be completed', () => {
    for (const { steps } of contributes.walkthroughs) {
      expect(steps.length).toBeLessThanOrEqual(5)
      for (const { completionEvents, media } of steps) {
        expect(completionEvents.length).toBeGreaterThan(0)
        expect(file(media.svg)).toContain('--vscode-')
      }
    }
  })

  test('has welcome content for each empty state, with one button each before any link', () => {
    const pools = contributes.viewsWelcome.filter(({ view }) => view === 'unhang.pools')
    expect(pools).toHaveLength(5)
    for (const { contents } of pools) {
      const buttons = (texts[contents.slice(1, -1)] ?? '')
        .split('\n')
        .filter((line) => /^\[[^\]]+\]\(command:[^)]+\)$/.test(line))
      expect(buttons).toHaveLength(1)
    }
  })
})

describe('An untrusted workspace', () => {
  test.each(['unhang.launchPool', 'unhang.watchProgram', 'unhang.attachProcess', 'unhang.rescuePool'])(
    'has no %s',
    (command) => {
      expect(contributes.commands.find((contributed) => contributed.command === command)?.enablement).toContain(
        'isWorkspaceTrusted',
      )
    },
  )
})

describe('l10n/bundle.l10n.json', () => {
  /** The extractor itself takes ten seconds; that each text is a literal is a lint rule. */
  const literalText = /\bl10n\.t\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g

  test('holds every text of the code, and no other', () => {
    const texts = ['src/words', 'src/extension'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(literalText)])
        .map(([, , text = '']) => text.replaceAll(/\\(.)/g, '$1')),
    )
    const bundle = JSON.parse(readFileSync('l10n/bundle.l10n.json', 'utf8')) as object
    expect(Object.keys(bundle).sort(), 'run `npm run l10n`').toEqual(
      [...new Set([...texts, ...verdictTemplates()])].sort(),
    )
  })
})

describe('The buttons of a row', () => {
  const stuckTask = task({ stuck: true, verdict: noProgress })
  const rows = {
    'a running pool': poolContextValue(poolHeader()),
    'an ended pool': poolContextValue(poolHeader({ state: 'ended' })),
    'an orphaned pool': poolContextValue(poolHeader({ orphaned: true })),
    'a pool with a lost task': poolContextValue(watchedPool()),
    'a program': poolContextValue(programPool()),
    'a program that ended': poolContextValue(programPool({ state: 'ended' })),
    'a process of a command pool': workerContextValue(
      worker({ status: 'busy', task: task() }),
      poolHeader({ kind: 'command' }),
    ),
    'a busy worker': workerContextValue(worker({ status: 'busy', task: task() }), poolHeader()),
    'a stuck worker': workerContextValue(worker({ status: 'busy', task: stuckTask }), poolHeader()),
    'a worker that exited': workerContextValue(worker({ status: 'exited', exitCode: 1 }), poolHeader()),
    'a running task': taskContextValue(task(), poolHeader()),
    'a lost task of a running pool': taskContextValue(task({ state: 'lost' }), poolHeader()),
    'a lost task of an ended pool': taskContextValue(task({ state: 'lost' }), poolHeader({ state: 'ended' })),
  }

  test.each<[keyof typeof rows, string[]]>([
    ['a running pool', ['unhang.terminatePool', 'unhang.killPool', 'unhang.showReport']],
    ['an orphaned pool', ['unhang.terminatePool', 'unhang.killPool', 'unhang.showReport']],
    ['an ended pool', ['unhang.showReport', 'unhang.removePool']],
    ['a pool with a lost task', ['unhang.rescuePool', 'unhang.terminatePool', 'unhang.killPool']],
    ['a program', ['unhang.showStack', 'unhang.terminatePool', 'unhang.killPool']],
    ['a program that ended', ['unhang.removePool']],
    ['a busy worker', ['unhang.showStack', 'unhang.terminateWorker', 'unhang.killWorker']],
    ['a stuck worker', ['unhang.showStack', 'unhang.terminateWorker', 'unhang.killWorker']],
    ['a process of a command pool', ['unhang.terminateWorker', 'unhang.killWorker']],
    ['a worker that exited', []],
    ['a running task', ['unhang.cancelTask']],
    ['a lost task of a running pool', ['unhang.retryTask']],
    ['a lost task of an ended pool', []],
  ])('%s has those that fit it', (row, expected) => {
    expect(inlineCommands(rows[row])).toEqual(expected)
  })

  test.each(Object.entries(rows))('%s has no more than three', (_row, viewItem) => {
    expect(inlineCommands(viewItem).length).toBeLessThanOrEqual(3)
  })

  test('what can be rescued has it in its menu, what cannot has it there greyed out', () => {
    expect(menuCommands(rows['a pool with a lost task'])).toContain('unhang.rescuePool')
    expect(menuCommands(rows['a running pool'])).toContain('unhang.rescuePool')
    const enablement = contributes.commands.find(({ command }) => command === 'unhang.rescuePool')?.enablement ?? ''
    const pattern = new RegExp(/viewItem =~ \/(.*?)\/\)/.exec(enablement)?.[1] ?? '$^')
    expect([rows['a pool with a lost task'], rows['a running pool']].map((viewItem) => pattern.test(viewItem))).toEqual(
      [true, false],
    )
  })

  test('a worker that exited can have its pid copied but not be ended', () => {
    expect(menuCommands(rows['a worker that exited'])).toEqual(['unhang.copyPid'])
  })
})
