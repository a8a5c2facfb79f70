import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { describePythons, fixtures, oldestAndNewest } from './pythons'
import { WireWorkers, encode, flags, kinds, run, until, type Thrown } from './wireWorker'

let workers = new WireWorkers()
afterEach(async () => {
  await workers.endAll()
  workers = new WireWorkers()
})

describePythons(oldestAndNewest, 'a Python $version worker', ({ path }) => {
  describe('at its start', () => {
    it('says what can be called', async () => {
      const worker = workers.spawn(path, { module: 'shop.till', defaultExport: 'total' })
      expect(await worker.next()).toMatchObject({ kind: 'ready', number: 0, value: ['join', 'total'] })
      worker.write(run(1, ['tea', 'cake']))
      expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number: 1, value: 5 })
    })

    it('runs the initializer with its arguments', async () => {
      const worker = await workers.start(path, {
        initializer: { module: null, name: 'initialize' },
        initargs: [1, 'two'],
      })
      expect(worker.stdout).toContain("initialized with (1, 'two')")
      expect(await worker.call('started_with')).toMatchObject({ value: [1, 'two'] })
    })

    it('waits for an initializer that is a coroutine', async () => {
      const worker = await workers.start(path, {
        initializer: { module: 'tasks', name: 'initialize_later' },
        initargs: [3],
      })
      expect(await worker.call('started_with')).toMatchObject({ value: [3] })
    })

    it.each<[string, Parameters<WireWorkers['spawn']>[1], string, string | RegExp]>([
      ['no such module', { module: 'nowhere.at_all' }, 'MissingModuleError', "there is no module 'nowhere.at_all' in"],
      [
        'no such module in a package',
        { module: 'shop.tills' },
        'MissingModuleError',
        'Write "python" as package.module:function',
      ],
      [
        'no such function',
        { defaultExport: 'ad' },
        'MissingExportError',
        /^module 'tasks' has no function 'ad'; it has .*'add'.* Write the name of one after the colon of "python"$/,
      ],
      [
        'no such initializer',
        { initializer: { module: null, name: 'begin' } },
        'MissingExportError',
        "no function 'begin'",
      ],
      [
        'an initializer that fails',
        { initializer: { module: null, name: 'fail_to_initialize' } },
        'RuntimeError',
        'no database',
      ],
      [
        'a dependency that is missing',
        { module: 'needs_dependency' },
        'ModuleNotFoundError',
        "No module named 'no_such_dependency'",
      ],
      ['a syntax error', { module: 'syntax_error' }, 'SyntaxError', 'syntax_error.py, line 1'],
      ['an error at load', { module: 'raises_at_load' }, 'ValueError', 'at load'],
      ['sys.exit() at load', { module: 'exits_at_load' }, 'SystemExit', 'not meant to be imported'],
    ])('says why it cannot work: %s', async (_, options, name, message) => {
      const worker = workers.spawn(path, options)
      const { kind, value } = await worker.next()
      expect(kind).toBe('loadFailed')
      expect(value).toMatchObject({ kind: 'error', name })
      expect((value as Thrown).message).toMatch(message)
      expect((value as Thrown).stack).not.toContain('unhang_worker/')
      expect((value as Thrown).stack).not.toContain('importlib')
      expect(await worker.exited).toEqual({ code: 1, signal: null })
    })

    it('finds modules as the program itself would', async () => {
      const worker = await workers.start(path, { env: { PYTHONPATH: join(fixtures, 'path'), MARK: 'set' } })
      const folder = fixtures.replace(/\/$/, '')
      expect(await worker.call('argv_and_path')).toMatchObject({
        value: { argv: 1, path: folder, cwd: folder, main: null },
      })
      expect(await worker.call('python_path_module')).toMatchObject({ value: 'found on PYTHONPATH' })
      expect(await worker.call('environment', ['MARK'])).toMatchObject({ value: 'set' })
      expect(await worker.call('environment', ['PYTHONUNBUFFERED'])).toMatchObject({ value: null })
    })
  })

  describe('with functions', () => {
    it('calls them by name, in other modules and in classes too', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'add')
      worker.define(2, 'total', 'shop.till')
      worker.define(3, 'Shop.open')
      worker.write(run(1, [1, 2], { id: 1 }), run(2, ['tea'], { id: 2 }), run(3, ['now'], { id: 3 }))
      expect([await worker.next(), await worker.next(), await worker.next()]).toMatchObject([
        { number: 1, value: 3 },
        { number: 2, value: 2 },
        { number: 3, value: 'open: now' },
      ])
    })

    it('takes "default" for the pool\'s own, else for the only one', async () => {
      const named = await workers.start(path, { defaultExport: 'add' })
      expect(await named.call('default', [1, 1])).toMatchObject({ value: 2 })
      const only = await workers.start(path, { module: 'shop.till' })
      expect(await only.call('default', ['cake'])).toMatchObject({ value: 3 })
      const many = await workers.start(path)
      expect(await many.thrownBy('default')).toMatchObject({ name: 'MissingExportError' })
    })

    it('fails only the task of a function or module that is not there', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'nope')
      worker.define(2, 'nope', 'no.such')
      worker.define(3, 'add')
      worker.write(run(1, [], { id: 1 }), run(2, [], { id: 2 }), run(3, [1], { id: 3 }))
      expect(await worker.next()).toMatchObject({ kind: 'threw', number: 1, value: { name: 'MissingExportError' } })
      expect(await worker.next()).toMatchObject({ kind: 'threw', number: 2, value: { name: 'ModuleNotFoundError' } })
      expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number: 3, value: 1 })
    })

    it('waits for coroutines', async () => {
      const worker = await workers.start(path)
      expect(await worker.call('add_later', [1, 2])).toMatchObject({ kind: 'returnedJson', value: 3 })
      expect(await worker.call('returns_coroutine', [4])).toMatchObject({ value: 5 })
      const thrown = await worker.thrownBy('fail_later')
      expect(thrown).toMatchObject({ name: 'LookupError', message: 'later' })
      expect(thrown.stack).toMatch(/^Traceback[^\n]*\n {2}File "[^"]*tasks\.py", line \d+, in fail_later/)
    })

    it('tells how long a task ran', async () => {
      const worker = await workers.start(path)
      const { extra } = await worker.call('sleep', [0.05])
      expect(extra).toBeGreaterThanOrEqual(50_000)
      expect(extra).toBeLessThan(5_000_000)
      expect((await worker.call('nothing')).extra).toBeLessThan(50_000)
    })

    it('calls them for each item of a chunk, in order', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'add')
      worker.define(2, 'add_later')
      worker.define(3, 'returns_coroutine')
      const chunk = flags.keepResult | flags.chunk
      worker.write(
        run(1, [1, 2, 3], { id: 1, flags: chunk }),
        run(
          2,
          [
            [1, 2],
            [3, 4],
          ],
          { id: 1, flags: chunk | flags.star },
        ),
        run(
          3,
          [
            [1, 2],
            [3, 4],
          ],
          { id: 2, flags: chunk | flags.star },
        ),
        run(4, [1, 2], { id: 3, flags: chunk }),
        run(5, [1, 'x', 3], { id: 3, flags: chunk }),
        run(6, [], { id: 1, flags: chunk }),
        run(7, [1, 2], { id: 1, flags: flags.chunk }),
      )
      const values = []
      for (let index = 0; index < 7; index++) values.push(await worker.next())
      expect(values.map(({ value }) => value)).toMatchObject([
        [1, 2, 3],
        [3, 7],
        [3, 7],
        [2, 3],
        { name: 'TypeError' },
        [],
        undefined,
      ])
    })

    it('names the item of a chunk whose result cannot be sent', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'value')
      worker.write(run(1, ['tuple', 'bytes'], { id: 1, flags: flags.keepResult | flags.chunk }))
      expect(await worker.next()).toMatchObject({ kind: 'unserializable', value: { path: "result[1]['a'][3]" } })
    })

    it('rejects arguments that are no JSON, and goes on', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'add')
      worker.write(encode(kinds.runJson, 1, 1 | (1 << 16), '{nonsense'), run(2, [1], { id: 1 }))
      expect(await worker.next()).toMatchObject({ kind: 'threw', number: 1 })
      expect(await worker.next()).toMatchObject({ kind: 'returnedJson', number: 2, value: 1 })
    })
  })

  describe('with output', () => {
    it('has passed on what a task printed before it answers', async () => {
      const worker = await workers.start(path, { env: { LC_ALL: 'C', LANG: undefined } })
      expect(await worker.call('print_lines')).toMatchObject({ value: 'printed' })
      await worker.printed('to stdout: ü€😀\n')
      await worker.call('print_without_newline')
      await worker.printed('no newline')
      await until(
        () => worker.stderr.includes('nor here'),
        () => worker.stderr,
      )
    })

    it('shows a line at once, also when the task then hangs', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'print_and_hang')
      worker.write(run(1, [300], { id: 1 }))
      await worker.printed('before the hang')
    })

    it('has an empty stdin', async () => {
      expect(await (await workers.start(path)).call('read_stdin')).toMatchObject({ value: '' })
    })

    it('survives a task that closes file descriptor 1', async () => {
      const worker = await workers.start(path)
      expect(await worker.call('close_stdout')).toMatchObject({ value: 'closed' })
      expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
      worker.close()
      expect(await worker.exited).toEqual({ code: 0, signal: null })
    })

    it('survives a task that replaces sys.stdout', async () => {
      const worker = await workers.start(path)
      expect((await worker.call('replace_stdout')).kind).toBe('returnedJson')
      await worker.printed('before')
      expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
    })
  })

  describe('with children of a task', () => {
    it('keeps the channel from a forked child', async () => {
      const worker = await workers.start(path)
      expect(await worker.call('fork_and_exit', ['no channel here'])).toMatchObject({ value: 'parent' })
      await worker.printed('no channel here')
      expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
    })

    it('answers once when a forked child comes back from the task', async () => {
      const worker = await workers.start(path)
      expect(await worker.call('fork_and_return')).toMatchObject({ value: ['parent', 0] })
      expect(await worker.call('fork_and_raise')).toMatchObject({ value: 1 })
      expect(worker.stderr).toContain('RuntimeError: in the child')
      expect(await worker.call('add', [1, 2])).toMatchObject({ value: 3 })
      expect(worker.frames.filter(({ kind }) => kind !== 'ready')).toHaveLength(3)
    })

    it.each(['fork', 'spawn'])('lets a task have a pool of its own (%s)', async (method) => {
      const worker = await workers.start(path)
      expect(await worker.call('nested_pool', [method])).toMatchObject({ kind: 'returnedJson', value: [1, 4, 9] })
    })

    it('hands no descriptor of its own to a program that a task runs', async () => {
      const worker = await workers.start(path, { claims: true, maxMemoryBytes: 2 ** 40 })
      // Channel, lifeline, claims, and the file that tells its memory.
      expect(readdirSync(`/proc/${worker.pid}/fd`)).toEqual(expect.arrayContaining(['3', '4', '5', '6']))
      const { value } = await worker.call('open_fds_of_child')
      expect(value).toMatch(/^\[0, 1, 2, 3\D/)
      expect(value).not.toMatch(/\b[456]\b/)
    })
  })

  describe('that ends', () => {
    it('leaves with the code that a task gives sys.exit()', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'exit_with')
      worker.write(run(1, [7], { id: 1 }), run(2, [8], { id: 1 }))
      expect(await worker.exited).toEqual({ code: 7, signal: null })
      expect(worker.frames.map(({ kind }) => kind)).toEqual(['ready'])
    })

    it('leaves at os._exit()', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'exit_hard')
      worker.write(run(1, [3], { id: 1 }))
      expect(await worker.exited).toEqual({ code: 3, signal: null })
    })

    it.each(['SIGKILL', 'SIGTERM'])('dies of %s', async (signal) => {
      const worker = await workers.start(path)
      worker.define(1, 'kill_self')
      worker.write(run(1, [signal], { id: 1 }))
      expect(await worker.exited).toEqual({ code: null, signal })
    })

    it('tells of a KeyboardInterrupt and dies of it, as every Python program', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'kill_self')
      worker.write(run(5, ['SIGINT'], { id: 1 }))
      expect(await worker.next()).toMatchObject({ kind: 'uncaught', number: 5, value: { name: 'KeyboardInterrupt' } })
      expect(await worker.exited).toEqual({ code: null, signal: 'SIGINT' })
    })

    it('names the line of a segmentation fault', async () => {
      const worker = await workers.start(path)
      worker.define(1, 'crash')
      worker.write(run(1, [], { id: 1 }))
      expect(await worker.exited).toEqual({ code: null, signal: 'SIGSEGV' })
      expect(worker.stderr).toContain('Segmentation fault')
      expect(worker.stderr).toMatch(/tasks\.py", line \d+ in crash/)
    })

    it('ends when the channel carries something that is no frame', async () => {
      const worker = await workers.start(path)
      worker.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
      expect(await worker.next()).toMatchObject({ kind: 'uncaught', value: { name: 'FrameError' } })
      expect(await worker.exited).toEqual({ code: 70, signal: null })
      expect(worker.stderr).toContain('something else writes to file descriptor 3')
    })

    it(
      'finishes and answers the task in flight when the channel ends, and starts none that ' + 'was sent ahead',
      async () => {
        const note = workers.file()
        const worker = await workers.start(path, { claims: true })
        worker.define(1, 'say_and_sleep')
        worker.define(2, 'note')
        worker.grant(5)
        worker.write(
          run(1, [0.3], { id: 1 }),
          run(2, [note, 'started'], { id: 2, flags: flags.keepResult | flags.claim }),
        )
        await worker.printed('running')
        worker.close()
        expect(await worker.next()).toMatchObject({ number: 1, value: 'slept' })
        expect(await worker.exited).toEqual({ code: 0, signal: null })
        expect(() => readFileSync(note)).toThrow('ENOENT')
      },
    )

    it('leaves at once when it is idle and the channel ends', async () => {
      const worker = await workers.start(path)
      worker.close()
      expect(await worker.exited).toEqual({ code: 0, signal: null })
      expect(worker.stderr).toBe('')
    })
  })
})
