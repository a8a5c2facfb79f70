import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeNotesFile, parseNote } from '../../../../src/host/programs/observers/nodeNotes'
import { NodeProcesses } from '../../../../src/host/programs/observers/nodeProcesses'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-notes-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const started = (pid: number): string =>
  JSON.stringify({ started: pid, ticks: 77, at: 1000.5, argv: ['node', 'worker.js'] })

describe('the notes of a Node process', () => {
  it('are read as they are appended, each once', () => {
    const path = join(folder, 'node-9.jsonl')
    const file = new NodeNotesFile(path)
    expect(file.read()).toEqual([])
    writeFileSync(path, `${started(11)}\n`)
    expect(file.read()).toEqual([{ kind: 'started', pid: 11, ticks: 77, at: 1000.5, argv: ['node', 'worker.js'] }])
    expect(file.read()).toEqual([])
    appendFileSync(path, `${JSON.stringify({ ended: 11, ticks: 77, at: 1001, exitCode: null, signal: 'SIGKILL' })}\n`)
    expect(file.read()).toEqual([{ kind: 'ended', pid: 11, ticks: 77, at: 1001, exitCode: null, signal: 'SIGKILL' }])
  })
  it('are read when their line is whole, also in the middle of a character', () => {
    const path = join(folder, 'node-9.jsonl')
    const file = new NodeNotesFile(path)
    const bytes = Buffer.from(`${JSON.stringify({ started: 11, ticks: null, at: 1, argv: ['ü.js'] })}\n`)
    const middle = bytes.indexOf('ü') + 1
    writeFileSync(path, bytes.subarray(0, middle))
    expect(file.read()).toEqual([])
    appendFileSync(path, bytes.subarray(middle))
    expect(file.read()).toMatchObject([{ argv: ['ü.js'] }])
  })
  it.each([
    '',
    '{',
    'null',
    '[]',
    '"started"',
    '{"started":1,"ticks":1,"at":1,"argv":["init"]}',
    '{"started":11,"ticks":1,"at":1,"argv":[]}',
    '{"ended":"11"}',
    '{"takes":"SIGTERM"}',
  ])('leave out what is none: %s', (line) => {
    expect(parseNote(line)).toBeUndefined()
  })
  it('go on behind a line of rubbish', () => {
    const path = join(folder, 'node-9.jsonl')
    writeFileSync(path, `${'x'.repeat(3 * 1024 * 1024)}\n${started(12)}\n`)
    const file = new NodeNotesFile(path)
    expect([1, 2, 3, 4].flatMap(() => file.read())).toMatchObject([{ kind: 'started', pid: 12 }])
  })
})

describe('the Node processes of a program', () => {
  it('are those that have said hello, and only while it is the same process', () => {
    writeFileSync(
      join(folder, 'node-9.jsonl'),
      `${JSON.stringify({ hello: 9, ticks: 77, node: '20.1.0', stacks: true })}\n${started(11)}\n`,
    )
    writeFileSync(
      join(folder, 'node-other.jsonl'),
      `${JSON.stringify({ hello: 10, ticks: 77, node: '20.1.0', stacks: true })}\n`,
    )
    const nodes = new NodeProcesses(folder)
    expect(nodes.read()).toHaveLength(1)
    expect(nodes.version).toBe('20.1.0')
    expect(nodes.find(9, 'boot-77')).toMatchObject({ pid: 9, stacks: true, takesSigusr1: false })
    expect(nodes.find(9, 'boot-177')).toBeUndefined()
    expect(nodes.find(10, 'boot-77')).toBeUndefined()
  })
  it('say when they handle SIGUSR1 themselves', () => {
    writeFileSync(
      join(folder, 'node-9.jsonl'),
      `${JSON.stringify({ hello: 9, ticks: 77, node: '20.1.0', stacks: true })}\n`,
    )
    const nodes = new NodeProcesses(folder)
    nodes.read()
    appendFileSync(join(folder, 'node-9.jsonl'), '{"takes":"SIGUSR1"}\n')
    nodes.read()
    expect(nodes.find(9, 'boot-77')?.takesSigusr1).toBe(true)
  })
  it('are none when the session is over', () => {
    const nodes = new NodeProcesses(join(folder, 'gone'))
    expect(nodes.read()).toEqual([])
    expect(nodes.version).toBeUndefined()
  })
})
