import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NodeNotesFile, type NodeNote } from '../../../src/host/programs/observers/nodeNotes'
import { mustEqual, scratchFolder, type FuzzTarget } from '../target'

const path = join(scratchFolder(), 'node-9.jsonl')

const kinds = ['hello', 'started', 'ended', 'takes-sigusr1']
function check(note: NodeNote): void {
  if (!kinds.includes(note.kind)) throw new Error(`a note of kind ${note.kind}`)
  if ('pid' in note && !(Number.isSafeInteger(note.pid) && note.pid >= 2)) throw new Error(`a note of pid ${note.pid}`)
}

const lines = (...notes: unknown[]) => Buffer.from(notes.map((note) => `${JSON.stringify(note)}\n`).join(''))

export const target: FuzzTarget = {
  run(input) {
    writeFileSync(path, input)
    const whole = new NodeNotesFile(path).read()
    for (const note of whole) check(note)
    // As it grows: in two steps, as each is a write.
    const middle = input.length >> 1
    writeFileSync(path, input.subarray(0, middle))
    const growing = new NodeNotesFile(path)
    const first = growing.read()
    appendFileSync(path, input.subarray(middle))
    mustEqual('read at once and as it grows', whole, [...first, ...growing.read()])
    mustEqual('read again', growing.read(), [])
  },
  seeds: [
    lines(
      { hello: 9, ticks: 77, node: '20.1.0', stacks: true },
      { started: 11, ticks: null, at: 1, argv: ['ü.js'] },
      { ended: 11, ticks: 77, at: 2, exitCode: null, signal: 'SIGKILL' },
      { takes: 'SIGUSR1' },
    ),
    lines({ started: 1, ticks: 1, at: 1, argv: [] }, null, [], 'x'),
    Buffer.from('{\n\n}\n'),
    lines({ ended: 11, ticks: -1, at: 2, exitCode: 0.5, signal: 9 }),
  ],
  dictionary: [
    '"hello":',
    '"started":',
    '"ended":',
    '"ticks":',
    '"at":',
    '"argv":',
    '"exitCode":',
    '"signal":',
    '"takes":',
    '"SIGUSR1"',
    '"node":',
    '"stacks":true',
    'null',
    '1e999',
    '-0',
    '4294967296',
    '"__proto__":',
    '\n',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
  ].map((text) => Buffer.from(text)),
  largestAllocation: 2 ** 20,
}
