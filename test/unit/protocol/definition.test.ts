import { describe, expect, it } from 'vitest'
import { keyOf, poolTaskJsonSchema, poolTaskKeys, validateDefinition } from '../../../src/protocol/schemas'

const ok = { command: ['echo', '${item}'], items: [1] }

/** [definition, key, code, a piece of the message]. */
const wrong: [string, unknown, string, string, string | RegExp][] = [
  ['no object', 'pool', '', 'wrong-type', 'is an object'],
  ['an array', [], '', 'wrong-type', 'is an object'],
  ['an unknown key', { ...ok, proceses: 2 }, 'proceses', 'unknown-key', 'Did you mean "processes"?'],
  ['a key unlike any', { ...ok, colour: 'red' }, 'colour', 'unknown-key', 'Remove it'],
  ['args', { ...ok, args: ['x'] }, 'args', 'unknown-key', 'Write the arguments into "command"'],
  ['options', { ...ok, options: { cwd: 'x' } }, 'options', 'unknown-key', 'directly into the task'],
  ['command and python', { ...ok, python: 'a.b' }, 'python', 'conflict', '"command" and "python" exclude each other'],
  [
    'module and python',
    { module: './a.js', python: 'a.b', items: [1] },
    'python',
    'conflict',
    '"module" and "python" exclude each other',
  ],
  ['a path as python', { python: './shop/till.py:total', items: [1] }, 'python', 'out-of-range', '"shop.till:total"'],
  [
    'a file as python',
    { python: 'till.py', items: [1] },
    'python',
    'out-of-range',
    'as it is imported, from the folder that is "cwd": "till:function"',
  ],
  [
    'a package file as python',
    { python: 'shop/__init__.py#total()', items: [1] },
    'python',
    'out-of-range',
    '"shop:total"',
  ],
  [
    'a name with a dash as python',
    { python: 'my-shop:total', items: [1] },
    'python',
    'out-of-range',
    '"package.module:function"',
  ],
  [
    'no function after the colon',
    { python: 'shop.till:', items: [1] },
    'python',
    'out-of-range',
    '"shop.till:function"',
  ],
  ['a number as python', { python: 3, items: [1] }, 'python', 'wrong-type', '"package.module:function"'],
  ['an empty python', { python: '', items: [1] }, 'python', 'missing', '"python" is empty'],
  [
    'a number as pythonPath',
    { python: 'a:b', pythonPath: 3, items: [1] },
    'pythonPath',
    'wrong-type',
    'the path of a Python interpreter',
  ],
  [
    'pythonPath with command',
    { ...ok, pythonPath: 'python3' },
    'pythonPath',
    'conflict',
    'means nothing with "command"',
  ],
  ['program with items', { program: 'x.py', items: [] }, 'items', 'conflict', '"items" means nothing with "program"'],
  [
    'recordArguments without program',
    { command: 'x', items: [], recordArguments: true },
    'recordArguments',
    'conflict',
    '"recordArguments" means nothing with "command"',
  ],
  ['chunkSize with command', { ...ok, chunkSize: 4 }, 'chunkSize', 'conflict', 'each task is a fresh process'],
  [
    'maxMemoryPerChildMb with command',
    { ...ok, maxMemoryPerChildMb: 4 },
    'maxMemoryPerChildMb',
    'conflict',
    'each task is a fresh process',
  ],
  ['half a chunk', { python: 'a:b', items: [1], chunkSize: 0.5 }, 'chunkSize', 'wrong-type', 'whole number'],
  [
    'command and module',
    { ...ok, module: './a.js' },
    'module',
    'conflict',
    '"command" and "module" exclude each other',
  ],
  ['neither command nor module', { items: [1] }, '', 'missing', 'write "command"'],
  ['no items', { command: 'true' }, '', 'missing', '"items" is missing'],
  [
    'maxTasksPerChild with command',
    { ...ok, maxTasksPerChild: 3 },
    'maxTasksPerChild',
    'conflict',
    'each task is a fresh process',
  ],
  ['an empty command', { ...ok, command: [] }, 'command', 'missing', '"command" is empty'],
  ['an empty command string', { ...ok, command: '' }, 'command', 'missing', '"command" is empty'],
  ['a number as command', { ...ok, command: 3 }, 'command', 'wrong-type', '"command" is 3'],
  ['a number in command', { ...ok, command: ['a', 3] }, 'command[1]', 'wrong-type', '"command[1]" is 3'],
  ['a module that is no string', { module: true, items: [1] }, 'module', 'wrong-type', '#resize'],
  ['negative processes', { ...ok, processes: -1 }, 'processes', 'out-of-range', 'at least 1'],
  ['no processes', { ...ok, processes: 0 }, 'processes', 'out-of-range', 'at least 1'],
  ['half a process', { ...ok, processes: 1.5 }, 'processes', 'wrong-type', 'a whole number'],
  ['processes as text', { ...ok, processes: '4' }, 'processes', 'wrong-type', '"processes" is "4"'],
  ['a million processes', { ...ok, processes: 1_000_000 }, 'processes', 'out-of-range', 'at most 1024'],
  ['a negative duration', { ...ok, stuckAfterMs: -1 }, 'stuckAfterMs', 'out-of-range', 'at least 1'],
  ['a duration no timer can count', { ...ok, timeoutMs: 1e12 }, 'timeoutMs', 'out-of-range', 'at most 2147483647'],
  ['a negative grace period', { ...ok, gracePeriodMs: -5 }, 'gracePeriodMs', 'out-of-range', 'at least 0'],
  ['a duration that is null', { ...ok, timeoutMs: null }, 'timeoutMs', 'wrong-type', 'is null'],
  ['negative retries', { ...ok, retries: -1 }, 'retries', 'out-of-range', 'at least 0'],
  ['an unknown choice', { ...ok, onStuck: 'kil' }, 'onStuck', 'out-of-range', '"flag", "terminate", "kill", "retry"'],
  ['useSigkill as text', { ...ok, useSigkill: 'yes' }, 'useSigkill', 'wrong-type', 'true or false'],
  ['an empty cwd', { ...ok, cwd: '' }, 'cwd', 'missing', 'path of a folder'],
  ['a number in env', { ...ok, env: { A: 1 } }, 'env.A', 'wrong-type', '"env.A" is 1'],
  ['NUL in env', { ...ok, env: { A: 'x\0y' } }, 'env.A', 'wrong-type', 'holds a NUL character'],
  ['env as an array', { ...ok, env: [] }, 'env', 'wrong-type', 'an object of strings'],
  ['items as text', { ...ok, items: 'a' }, 'items', 'wrong-type', 'Write an array'],
  ['items as null', { ...ok, items: null }, 'items', 'wrong-type', 'Write an array'],
  ['items from nowhere', { ...ok, items: {} }, 'items', 'missing', 'empty object'],
  [
    'items from two sources',
    { ...ok, items: { glob: 'a', json: 'b' } },
    'items.json',
    'conflict',
    'exclude each other',
  ],
  ['a mistyped source', { ...ok, items: { glop: 'a' } }, 'items.glop', 'unknown-key', 'Did you mean "glob"?'],
  ['a glob of no patterns', { ...ok, items: { glob: [] } }, 'items.glob', 'missing', 'is empty'],
  ['a number among patterns', { ...ok, items: { glob: ['a', 3] } }, 'items.glob[1]', 'wrong-type', 'is 3'],
  ['a range of one', { ...ok, items: { range: [3] } }, 'items.range', 'wrong-type', '[start, end, step]'],
  [
    'a range without a step',
    { ...ok, items: { range: [0, 10, 0] } },
    'items.range[2]',
    'out-of-range',
    'would never end',
  ],
  ['termination as text', { ...ok, termination: 'borg' }, 'termination', 'wrong-type', 'Write an object'],
  [
    'an unknown platform',
    { ...ok, termination: { platform: 'moon' } },
    'termination.platform',
    'out-of-range',
    '"borg", "borg-tpu", "gcp-gpu"',
  ],
  [
    'a mistyped key of termination',
    { ...ok, termination: { exitcode: 3 } },
    'termination.exitcode',
    'unknown-key',
    'Did you mean "exitCode"?',
  ],
  [
    'a key that termination does not have',
    { ...ok, termination: { colour: 3 } },
    'termination.colour',
    'unknown-key',
    'There are "platform", "watch"',
  ],
  [
    'an exit code that does not exist',
    { ...ok, termination: { exitCode: 300 } },
    'termination.exitCode',
    'out-of-range',
    'at most 255',
  ],
  [
    'a negative grace period of termination',
    { ...ok, termination: { gracePeriodMs: -1 } },
    'termination.gracePeriodMs',
    'out-of-range',
    'at least 0',
  ],
  ['a save that is no command', { ...ok, termination: { save: true } }, 'termination.save', 'wrong-type', './save.sh'],
  ['an empty save', { ...ok, termination: { save: [] } }, 'termination.save', 'missing', 'is empty'],
  [
    'a range that runs the other way',
    { ...ok, items: { range: [10, 0] } },
    'items.range',
    'out-of-range',
    'negative step',
  ],
]

describe('a definition that cannot run', () => {
  it.each(wrong)('is told what is wrong: %s', (_, definition, key, code, message) => {
    const result = validateDefinition(definition)
    expect(result.ok).toBe(false)
    const problems = result.ok ? [] : result.problems
    expect(problems.map((problem) => ({ key: keyOf(problem.path), code: problem.code }))).toContainEqual({ key, code })
    const told = problems.find((problem) => keyOf(problem.path) === key && problem.code === code)
    expect(told?.message).toMatch(message)
  })

  it('is told everything that is wrong at once', () => {
    const result = validateDefinition({ command: 3, module: 4, procesess: 1, retries: -1 })
    expect(result.ok ? 0 : result.problems.length).toBeGreaterThanOrEqual(5)
  })
})

describe('a definition that can run', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an array command', ok],
    ['a shell command', { command: 'gzip ${item}', items: { glob: '*.txt' } }],
    ['a module', { module: './a.js#run', items: { range: [0, 10, 2] }, maxTasksPerChild: 5 }],
    [
      'a Python function',
      { python: 'shop.till:total', pythonPath: '.venv/bin/python', items: [1], maxTasksPerChild: 5 },
    ],
    ['a Python module alone', { python: 'till', items: [1] }],
    ['a Python function with a variable', { python: '${env:MODULE}:total', items: [1] }],
    ['a range downwards', { ...ok, items: { range: [10, 0, -1] } }],
    ['any JSON as items', { ...ok, items: [1, 'a', null, { b: [true] }] }],
    [
      'every option',
      {
        ...ok,
        processes: 4,
        stuckAfterMs: 1,
        timeoutMs: 1,
        retries: 0,
        onStuck: 'retry',
        onFailure: 'stop',
        gracePeriodMs: 0,
        useSigkill: true,
        cwd: '.',
        env: { A: 'b', C: null },
      },
    ],
    [
      'a termination',
      {
        ...ok,
        termination: { platform: 'slurm', watch: 'sigterm', gracePeriodMs: 0, save: ['./save.sh'], exitCode: 0 },
      },
    ],
    ['a termination that leaves everything to the platform', { ...ok, termination: {} }],
    [
      'the keys VS Code itself reads',
      {
        ...ok,
        type: 'pool',
        label: 'x',
        problemMatcher: [],
        group: 'build',
        presentation: {},
        dependsOn: [],
        detail: 'x',
      },
    ],
  ])('passes: %s', (_, definition) => {
    expect(validateDefinition(definition)).toMatchObject({ ok: true })
  })

  it("comes back without the editor's keys", () => {
    const result = validateDefinition({ ...ok, type: 'pool', label: 'x' })
    expect(result.ok && Object.keys(result.definition).sort()).toEqual(['command', 'items'])
  })
})

describe('the schema for package.json', () => {
  it('describes every key in words that are long enough for a hover text', () => {
    const schema = poolTaskJsonSchema()
    expect(Object.keys(schema.properties)).toEqual(Object.keys(poolTaskKeys))
    for (const property of Object.values(schema.properties)) {
      expect((property as { description?: string }).description?.length).toBeGreaterThan(30)
    }
  })

  it('knows ranges and choices', () => {
    expect(poolTaskJsonSchema()).toMatchObject({
      type: 'pool',
      required: [],
      properties: {
        processes: { type: 'integer', minimum: 1, maximum: 1024 },
        onFailure: { enum: ['continue', 'stop'] },
      },
    })
  })
})
