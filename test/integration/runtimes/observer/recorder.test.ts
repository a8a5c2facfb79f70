import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describePythons, oldestAndNewest } from '../pythons'
import { until, WatchedProgram } from './watchedProgram'

let folder: string
let go: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-recorder-'))
  go = join(folder, 'go')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** The recorder as README.md has it, without the host's reader. */
function bytes(program: WatchedProgram, at: number, length: number): Buffer {
  const file = openSync(
    join(
      program.session,
      program.files().find((name) => name.endsWith('.rec'))!,
    ),
    'r',
  )
  const buffer = Buffer.alloc(length)
  readSync(file, buffer, 0, length, at)
  closeSync(file)
  return buffer
}

describePythons(oldestAndNewest, 'the flight recorder of a Python $version program', ({ path: python }) => {
  it('is laid out as the contract has it', async () => {
    await using program = await WatchedProgram.start({ python, args: ['tasks.py', 'nested'], env: { GO: go } })
    const { hello } = await program.connected()
    const worker = await program.slot(({ phase }) => phase === 'running', 'a task')
    const startTicks = Number(readFileSync(`/proc/${program.pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[19])
    expect(hello).toMatchObject({
      version: 1,
      pid: program.pid,
      startTicks,
      parentPid: process.pid,
      argv: ['tasks.py', 'nested'],
      recorder: `${program.pid}-${startTicks}.rec`,
    })
    const header = bytes(program, 0, 32)
    expect(header.toString('latin1', 0, 8)).toBe('UNHANGR1')
    expect([8, 12, 16, 20].map((at) => header.readUInt32LE(at))).toEqual([2, 256, 262144, program.pid])
    expect(Number(header.readBigUInt64LE(24))).toBe(startTicks)
    const slot = bytes(program, 4096 + 256, 256)
    expect([0, 4, 8, 12].map((at) => slot.readUInt32LE(at))).toEqual([1, 1, worker.pid, 1])
    expect(slot.readDoubleLE(24)).toBeGreaterThan(Date.now() / 1000 - 60)
    expect(slot.toString('utf8', 48, 96).replace(/\0+$/, '')).toBe('ForkPoolWorker-1')
    expect([
      slot.readBigUInt64LE(96),
      slot.readUInt8(104),
      slot.readUInt8(105),
      slot.readUInt8(106),
      slot.readUInt8(107),
    ]).toEqual([1n, 1, 0, 0, 1])
    expect([slot.readBigInt64LE(112), slot.readBigInt64LE(120), slot.readBigUInt64LE(136)]).toEqual([0n, 0n, 1n])
    // The task itself, as pickle has it.
    const kept = slot.readUInt32LE(108)
    const raw = bytes(program, 4096 + 4096 * 256 + 262144, kept)
    expect(raw[0]).toBe(0x80)
    expect(raw.at(-1)).toBe('.'.charCodeAt(0))
    expect(program.slots()[0]).toMatchObject({ pid: program.pid, startTicks, name: 'MainProcess', poolKey: 0 })
  })

  it.each(['fork', 'spawn', 'forkserver'])(
    'keeps the task of a worker that left with it, and how it left (%s)',
    async (method) => {
      const ways = ['sys.exit', 'os._exit', 'SIGKILL', 'SIGSEGV', 'abort', 'interrupt']
      await using program = await WatchedProgram.start({ python, args: ['ends.py', method, ...ways], env: { GO: go } })
      await until(() => program.stdout.includes('at the end'), 'the program')
      const connection = await program.connected()
      const lost = program.slots().filter(({ phase }) => phase === 'running')
      expect(lost.map(({ exitCode, poolKey, counter, job }) => ({ exitCode, poolKey, counter, job }))).toEqual(
        [3, 4, -9, -11, -6, 1].map((exitCode, index) => ({
          exitCode,
          poolKey: 1,
          counter: index === 0 ? 1 : 2,
          job: index * 2,
        })),
      )
      for (const { startedAt, taskStartedAt, exitedAt } of lost)
        expect(startedAt <= taskStartedAt && taskStartedAt <= exitedAt!).toBe(true)
      const { tasks } = await connection.snapshot()
      expect(lost.map(({ slot }) => tasks[slot]?.label)).toEqual(ways.map((way) => `leave('${way}')`))
      writeFileSync(go, '')
      const plain = program.slots().find(({ name }) => name === 'Plain')!
      expect(plain).toMatchObject({ poolKey: 0, exitCode: 4, phase: 'idle', ready: false })
      expect((await program.ended).code).toBe(0)
    },
  )

  it('counts tasks, and results that could not be pickled', async () => {
    await using many = await WatchedProgram.start({ python, args: ['tasks.py', 'many'], env: { GO: go } })
    expect(
      await many.slot(({ counter, phase }) => counter === 21 && phase === 'running', 'the last task'),
    ).toMatchObject({ unpicklableResults: 0, ready: true, holds: [] })
    await using broken = await WatchedProgram.start({ python, args: ['tasks.py', 'broken'], env: { GO: go } })
    expect(
      await broken.slot(({ counter, phase }) => counter === 4 && phase === 'running', 'the last task'),
    ).toMatchObject({ unpicklableResults: 3 })
    writeFileSync(go, '')
    expect(await many.ended).toMatchObject({ code: 0, stderr: '' })
    expect(await broken.ended).toMatchObject({
      code: 0,
      stdout: 'MaybeEncodingError\nMaybeEncodingError\nMaybeEncodingError\n',
      stderr: '',
    })
  })

  it.each([
    ['loud', 'wait(<Loud>, [<Loud>], key=Loud)', 'wait'],
    ['callable', '<Loud>(1)', '<Loud>'],
    ['partial', 'wait(1, 2)', 'wait'],
    ['nested', "wait({'a': [1, (2.5, None)], 'b': {1}}, b'bytes', True, Ellipsis, range(0, 3, 1))", 'wait'],
    ['long', /^wait\(\[0, 1, 2, 3, 4, 5, …\], 'ü+…\)$/, 'wait'],
    ['big', 'wait(<int of 100001 bits>)', 'wait'],
    ['large', /^wait\('x{40}'…, 1\)$/, 'wait'],
  ])('labels a task without running anything of the program: %s', async (which, label, name) => {
    await using program = await WatchedProgram.start({ python, args: ['tasks.py', which], env: { GO: go } })
    const connection = await program.connected()
    const worker = await program.slot(({ phase }) => phase === 'running', 'a task')
    const task = (await connection.snapshot()).tasks[worker.slot]!
    expect(task).toMatchObject({ counter: 1, items: 1, function: name })
    if (typeof label === 'string') expect(task.label).toBe(label)
    else expect(task.label).toMatch(label)
    expect(Buffer.byteLength(task.label)).toBeLessThanOrEqual(96)
    // What is too large for the raw area is labelled by the worker.
    expect(worker.keptBytes > 0).toBe(which !== 'large')
    expect(worker.label).toBe(which === 'large' ? task.label : '')
    writeFileSync(go, '')
    expect(await program.ended).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })

  it('keeps no arguments when they are not to be recorded', async () => {
    await using program = await WatchedProgram.start({
      python,
      args: ['tasks.py', 'large'],
      env: { GO: go },
      session: { arguments: false },
    })
    const connection = await program.connected()
    const worker = await program.slot(({ phase }) => phase === 'running', 'a task')
    expect(worker).toMatchObject({ keptBytes: 0, label: 'wait(…)' })
    expect((await connection.snapshot()).tasks[worker.slot]).toMatchObject({ label: 'wait(…)', function: 'wait' })
    expect(bytes(program, 4096 + 4096 * 256 + 262144, 262144).every((byte) => byte === 0)).toBe(true)
    expect(await connection.ask('retry', { pool: 1, slot: 1, generation: 1, counter: 1 })).toMatchObject({
      done: false,
    })
  })

  it('gives slots of former workers away again', async () => {
    await using program = await WatchedProgram.start({ python, args: ['tasks.py', 'recycled'], env: { GO: go } })
    const last = await program.slot(({ phase, job }) => phase === 'running' && job === 1, 'the last task')
    const slots = program.slots()
    expect(slots.length).toBeLessThanOrEqual(262)
    expect(slots.length).toBeGreaterThan(200)
    expect(slots.some(({ generation }) => generation > 1)).toBe(true)
    expect(last.poolKey).toBe(2)
    expect(
      slots
        .filter(({ poolKey, exitCode }) => poolKey === 2 && exitCode !== null)
        .every(({ exitCode, phase, holds }) => exitCode === 0 && phase === 'idle' && holds.length === 0),
    ).toBe(true)
    writeFileSync(go, '')
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
  })
})
