import { afterAll, beforeAll, expect, it } from 'vitest'
import { describePythons, everyPython } from './pythons'
import { WireWorker, WireWorkers, type Thrown } from './wireWorker'
import { pattern } from '../../pattern'

/** [name in tasks.VALUES, what arrives]. */
const sent: [string, unknown][] = [
  ['tuple', [1, [2, 3]]],
  ['namedtuple', [1, 2]],
  ['int keys', { 1: 'one', 2: { true: 1, null: 2, '1.5': 3 } }],
  ['int enum', 1],
  ['bool', [true, false, null]],
  ['floats', [0.1, 1e300, -0, 1234567890.123456]],
  [
    'large but exact',
    [2 ** 53 - 1, -(2 ** 53) + 1, '12345678901234567890', { ['9'.repeat(30)]: [0.12345678901234568] }],
  ],
  ['text', 'ü€😀 \u2028 "quoted" \\ \n\t'],
  ['surrogate', '\ud83d'],
  ['ordered', { b: 1, a: 2 }],
]

/** [name in tasks.VALUES, path, a piece of the detail]. */
const refused: [string, string, string][] = [
  ['nan', 'result[1]', 'is nan, for which JSON has no words'],
  ['infinity', "result['a']['b']", 'is -inf'],
  ['huge int', "result['id'][1]", 'str(value)'],
  ['huge int alone', 'result', 'beyond 2**53'],
  ['thousands of digits', 'result[0]', 'beyond 2**53'],
  ['set', "result['a'][1]", 'is a set, which JSON cannot hold. Return a list: sorted(value)'],
  ['frozenset alone', 'result', 'is a frozenset'],
  ['bytes', "result['a'][3]", "base64.b64encode(value).decode('ascii')"],
  ['tuple key', "result['a'][0]", 'has the key (1, 2), a tuple'],
  ['bytes key', 'result', "has the key b'k', a bytes"],
  ['nan key', 'result', 'has the key nan'],
  ['date', 'result[0]', 'is a datetime.date, which JSON cannot hold. Return text: value.isoformat()'],
  ['decimal', 'result[0]', 'str(value)'],
  ['path', 'result', 'str(value)'],
  ['enum', 'result[0]', 'value.value'],
  ['object', 'result[0]["it\'s"]', 'is a tasks.Thing'],
  ['function', 'result[0]', 'value.__name__'],
  ['generator', 'result', 'list(value)'],
  ['range', 'result', 'list(value)'],
  ['keys', 'result', 'list(value)'],
  ['stubborn', 'result[0]', 'not to be looked at'],
  ['partial', 'result', 'is a functools.partial'],
]

describePythons(everyPython, 'values of a Python $version worker', ({ path, version }) => {
  const workers = new WireWorkers()
  let worker: WireWorker
  beforeAll(async () => {
    worker = await workers.start(path)
  })
  afterAll(() => workers.endAll())

  it.each(sent)('are sent as JSON has them: %s', async (name, value) => {
    expect(await worker.call('value', [name])).toMatchObject({ kind: 'returnedJson', number: 1, value })
  })

  it.each(refused)('are refused with their place: %s', async (name, place, detail) => {
    const { kind, value } = await worker.call('value', [name])
    expect(kind).toBe('unserializable')
    expect(value).toEqual({ path: place, detail: expect.stringContaining(detail) as unknown })
  })

  it('may be arguments of every JSON kind', async () => {
    const args = [1, -1.5, 'ü😀', true, null, [[]], { a: { b: [1] } }]
    expect(await worker.call('echo', args)).toMatchObject({ value: args })
  })

  it('may be megabytes', async () => {
    const text = 'x'.repeat(3_000_000)
    expect(await worker.call('echo', [text, text])).toMatchObject({ value: [text, text] })
  })

  it('are refused when they are part of themselves', async () => {
    expect((await worker.call('value_of_circle')).value).toEqual({
      path: "result['inner'][0]",
      detail: expect.stringContaining('part of itself') as unknown,
    })
  })

  it('are refused when they are nested too deeply, and the worker goes on', async () => {
    const { kind, value } = await worker.call('value_of_depth', [20_000])
    expect(kind).toBe('unserializable')
    expect(value).toMatchObject({ detail: expect.stringContaining('nested too deeply') as unknown })
    expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
  })

  it('stay in the worker when nobody wants them', async () => {
    expect(await worker.call('value', ['bytes'], { flags: 0 })).toMatchObject({
      kind: 'returnedJson',
      value: undefined,
    })
  })

  it('are null when a function returns nothing', async () => {
    expect(await worker.call('nothing')).toMatchObject({ kind: 'returnedJson', value: null })
  })

  it("are errors with class, message, own fields and the program's traceback", async () => {
    const thrown = await worker.thrownBy('raise_shop_error')
    expect(thrown).toMatchObject({
      kind: 'error',
      name: 'ShopError',
      properties: { code: 42, args: ['sold out', 42], module: 'tasks' },
    })
    expect(thrown.properties).not.toHaveProperty('lock')
    expect(thrown.stack).toMatch(
      pattern(
        /^Traceback \(most recent call last\):\n {2}File "[^"]*\/fixtures\/python\/tasks\.py", line \d+,/,
        / in raise_shop_error\n/,
      ),
    )
    expect(thrown.stack).toMatch(/tasks\.ShopError: /)
    expect(thrown.stack).not.toContain('unhang_worker')
  })

  it('are errors with their cause', async () => {
    const thrown = await worker.thrownBy('raise_with_cause')
    expect(thrown).toMatchObject({
      name: 'ValueError',
      message: 'no such thing',
      cause: { name: 'KeyError', message: "'missing'" },
    })
    expect(thrown.stack).toContain('The above exception was the direct cause')
    expect((await worker.thrownBy('raise_circle')).cause).toMatchObject({ name: 'ValueError', message: 'b' })
  })

  it('are errors of the system with their number', async () => {
    expect(await worker.thrownBy('raise_os_error')).toMatchObject({
      name: 'FileNotFoundError',
      properties: { errno: 2, filename: '/no/such/file' },
    })
  })

  it('are errors that cannot even be printed', async () => {
    expect(await worker.thrownBy('raise_unprintable')).toMatchObject({
      name: 'Unprintable',
      message: '(its __str__ raised RuntimeError)',
    })
  })

  it('are errors that fail when they are looked at', async () => {
    const thrown = await worker.thrownBy('raise_hostile')
    expect(thrown).toMatchObject({ name: 'Hostile', properties: { module: 'tasks' } })
    expect(thrown.stack).toContain('in raise_hostile')
  })

  it.each([
    ['recurse', 'RecursionError', 'maximum recursion depth'],
    ['out_of_memory', 'MemoryError', ''],
    ['raise_cancelled', 'CancelledError', 'given up'],
    ['raise_surrogate', 'ValueError', 'half \ud83d'],
  ])('are errors after which the worker goes on: %s', async (name, error, message) => {
    const thrown = await worker.thrownBy(name)
    expect(thrown.name).toBe(error)
    expect(thrown.message).toContain(message)
    expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
  })

  it.runIf(Number(version.slice(2)) >= 11)('are groups of errors', async () => {
    const thrown: Thrown = await worker.thrownBy('raise_group')
    expect(thrown).toMatchObject({
      name: 'ExceptionGroup',
      errors: [
        { name: 'ValueError', message: 'one' },
        { name: 'KeyError', message: "'two'" },
      ],
    })
  })
})
