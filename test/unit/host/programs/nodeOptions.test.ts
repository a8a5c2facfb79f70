import { describe, expect, it } from 'vitest'
import { nodeOptions } from '../../../../src/host/programs/observers/nodeOptions'

const observer = '/opt/un hang/nodeObserver.cjs'
const silent = '"-\\-inspect-publish-uid=http"'

describe('NODE_OPTIONS of a watched program', () => {
  it('load the observer, whatever is in its path, and say nothing of an inspector', () => {
    expect(nodeOptions(observer, undefined, ['npm', 'test'])).toEqual({
      NODE_OPTIONS: `--require "/opt/un hang/nodeObserver.cjs" ${silent}`,
    })
    expect(nodeOptions('/a"b\\c.cjs', '', ['node'])).toEqual({ NODE_OPTIONS: `--require "/a\\"b\\\\c.cjs" ${silent}` })
  })
  it('keep what the user has, behind the observer', () => {
    expect(nodeOptions(observer, '--max-old-space-size=99', ['node', 'x.js']).NODE_OPTIONS).toMatch(
      / --max-old-space-size=99$/,
    )
  })
  it('do not look like --inspect to a program that searches them for it, as cluster does', () => {
    expect(nodeOptions(observer, undefined, ['node']).NODE_OPTIONS).not.toMatch(/--inspect/)
  })
  it.each([
    [undefined, ['node', '--inspect-brk', 'x.js']],
    [undefined, ['node', '--inspect=0']],
    ['--inspect', ['npm', 'test']],
  ])("leave the inspector's own words to one that is wanted: %s %s", (own, argv) => {
    expect(nodeOptions(observer, own, argv).NODE_OPTIONS).not.toContain(silent)
  })
  it.each([
    'python3',
    '/usr/bin/python3.11',
    'pypy3',
    'python',
    'python3.13t',
    'python3-dbg',
    'env X=1 python3.12d',
    'timeout 5 python3',
    'uv run',
    'poetry run python',
  ])('are not there for %s', (program) => {
    expect(nodeOptions(observer, undefined, [...program.split(' '), 'train.py'])).toEqual({})
  })
  it('are not there for a Node that may not read the observer', () => {
    expect(nodeOptions(observer, undefined, ['node', '--permission', 'x.js'])).toEqual({})
    expect(nodeOptions(observer, undefined, ['node', '--experimental-permission', 'x.js'])).toEqual({})
  })
  it('are set once, also for a program that runs another one under watch', () => {
    const { NODE_OPTIONS: once } = nodeOptions(observer, undefined, ['npm', 'test'])
    expect(nodeOptions(observer, once, ['npm', 'test'])).toEqual({})
  })
})
