import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CommandFailedError, StartError, WorkerLostError } from '../../../src/core'
import type { CommandResult } from '../../../src/core'
import { commandPool, endAfterTest, isRunning, next, rejection, stateOf, temporaryFolder, until } from './support'

const run = async (command: string | readonly string[], item: unknown = 'x', index = 0): Promise<CommandResult> =>
  (await commandPool(command).runItem(item, index).get()) as CommandResult

describe('a command', () => {
  it('resolves with exit code, stdout and stderr, each apart', async () => {
    expect(await run('echo out; echo err >&2')).toMatchObject({
      exitCode: 0,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  it('fails with its exit code and the last line of stderr when that is not 0', async () => {
    const error = await rejection(commandPool('echo first >&2; echo no such image >&2; exit 3').runItem('x', 0).get())
    expect(error).toBeInstanceOf(CommandFailedError)
    expect(error).toMatchObject({
      exitCode: 3,
      signal: null,
      result: { stderr: 'first\nno such image\n' },
      message: expect.stringMatching(/ended with exit 3: no such image$/) as unknown,
    })
  })

  it('is lost when a signal ends it', async () => {
    const pool = commandPool(['sleep', '300'])
    const result = pool.runItem('x', 0)
    const [, worker] = await next(pool, 'taskStart')
    process.kill(worker.pid, 'SIGKILL')
    const error = await rejection(result.get())
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ signal: 'SIGKILL', exitCode: null, pid: worker.pid, result: { stdout: '' } })
    expect(pool.counts).toMatchObject({ lost: 1, failed: 0 })
  })

  it('runs again with retries when a signal ended it', async () => {
    const marker = join(temporaryFolder(), 'marker')
    const pool = commandPool(`if [ -e ${marker} ]; then echo second; else touch ${marker}; kill -9 $$; fi`, {
      retries: 1,
    })
    expect(await pool.runItem('x', 0).get()).toMatchObject({ stdout: 'second\n' })
  })

  it('reads nothing from stdin', async () => {
    expect(await run('cat; echo end')).toMatchObject({ stdout: 'end\n' })
  })

  it('runs in its own session, with UNHANG_WORKER set, in cwd', async () => {
    const cwd = temporaryFolder()
    const pool = commandPool('echo $UNHANG_WORKER; pwd; ps -o sid= -p $$; echo $$', { cwd })
    const { stdout } = (await pool.runItem('x', 0).get()) as CommandResult
    const [marker, folder, session, pid] = stdout.trim().split('\n')
    expect(marker).toBe(`${pool.id}/PoolWorker-1`)
    expect(folder).toBe(cwd)
    expect(session?.trim()).toBe(pid)
  })
})

describe('${item} and ${index}', () => {
  const nasty = [
    'a b',
    "it's",
    '"quoted"',
    '$(touch /tmp/unhang-injected)',
    '`touch /tmp/unhang-injected`',
    '; touch /tmp/unhang-injected;',
    '*',
    '~',
    '\\n',
    '$HOME',
    '',
    '-n',
    'two\nlines',
    'ünïcödé 🎉',
    '${index}',
    "'; touch /tmp/unhang-injected; '",
  ]

  it.each(nasty)('are one argument without a shell: %j', async (item) => {
    expect((await run(['printf', '[%s]', '${item}'], item)).stdout).toBe(`[${item}]`)
  })

  it.each(nasty)('are one word in a shell, unquoted, in double and in single quotes: %j', async (item) => {
    const { stdout } = await run(
      `printf '[%s]' \${item} "<\${item}>" '<\${item}>' "$(printf '%s' \${item}; printf .)"`,
      item,
    )
    expect(stdout).toBe(`[${item}][<${item}>][<${item}>][${item}.]`)
    expect(existsSync('/tmp/unhang-injected')).toBe(false)
  })

  /** Scripts that print the item in brackets, and nothing else. */
  const tricky: [what: string, script: string][] = [
    ['after an apostrophe in a comment', "# don't\nprintf '[%s]' ${item}"],
    ['after a comment behind a command', "true # it's \"${item}\n printf '[%s]' ${item}"],
    ['after # that begins no comment', "x=a#'b'; printf '[%s]' ${item}; : ${#x} $# ${x#a}"],
    ['in backticks', "printf '[%s]' \"`printf '%s' ${item}; printf .`\" | sed 's/[.]]$/]/'"],
    ['in backticks within double quotes', "printf '[%s]' \"`printf '%s' \"${item}\"; printf .`\" | sed 's/[.]]$/]/'"],
    [
      'in a here-document',
      'cat <<END | sed \'$!b;s/$/]/\' | awk \'BEGIN{ORS=""} NR>1{print "\\n"} {print}\'\n[${item}\nEND\n',
    ],
    ['after a here-document with quotes', "cat >/dev/null <<-'END'\n\tit's \"\n\tEND\nprintf '[%s]' ${item}"],
    [
      'behind a case within $( )',
      "printf '[%s]' \"$(case x in y) ;; x) printf '%s' ${item};; esac; printf .)\" | sed '$s/[.]]$/]/'",
    ],
    ['as a default', "printf '[%s]' \"${unset:-${item}}\" ; : ${unset:-it\\'s ${item}}"],
    ['after a calculation', "i=$(( (1 + 2) * 3 )); printf '[%s]' ${item}"],
  ]

  it.each(tricky)('are one word %s', async (_, script) => {
    for (const item of nasty) {
      expect((await run(script, item)).stdout, item).toBe(`[${item}]`)
    }
    expect(existsSync('/tmp/unhang-injected')).toBe(false)
  })

  it('can be calculated with', async () => {
    expect((await run('echo $((${index}+1)) "$(( (${item} - 1) * 2 ))"', 5, 7)).stdout).toBe('8 8\n')
    expect((await run('echo $((1 - ${item}))', -5)).stdout).toBe('6\n')
  })

  it.each(['a[$(touch /tmp/unhang-injected)]', 'UNHANG_INDEX', '1+1', '010', '', '1;2'])(
    'what is no number is not calculated with: %j',
    async (item) => {
      for (const script of [
        'echo $((${item}+1))',
        'echo "$(( ${item} ))"',
        'echo ${x[${item}]}',
        'echo ${x:${item}}',
        'echo $[${item}]',
      ]) {
        expect(await rejection(run(script, item))).toMatchObject({
          name: 'UnusableItemError',
          message: expect.stringContaining('whole number') as unknown,
        })
      }
      expect(existsSync('/tmp/unhang-injected')).toBe(false)
    },
  )

  it('in a here-document that no shell would replace anything in are refused with the pool', () => {
    expect(() => commandPool("cat <<'END'\n${item}\nEND")).toThrow(/here-document.*<<END without quotes/)
  })

  it('are replaced inside of an argument, several times', async () => {
    expect((await run(['printf', '%s', 'out/${index}-${item}-${index}.png'], 'cat', 7)).stdout).toBe('out/7-cat-7.png')
  })

  it('an item that is an object arrives as JSON', async () => {
    expect((await run(['printf', '%s', '${item}'], { a: [1, 'two'] })).stdout).toBe('{"a":[1,"two"]}')
  })

  it('numbers, booleans and null arrive as they are written', async () => {
    const pool = commandPool(['printf', '%s', '${item}'])
    const results = await Promise.all([1.5, true, null].map((item, index) => pool.runItem(item, index).get()))
    expect(results.map((result) => (result as CommandResult).stdout)).toEqual(['1.5', 'true', 'null'])
  })

  it("other ${variables} are the shell's own", async () => {
    expect((await run('v=1; echo ${v} ${item}', 'x')).stdout).toBe('1 x\n')
  })

  it('an item with a NUL character fails alone, naming the reason', async () => {
    const pool = commandPool(['echo', '${item}'])
    expect(await rejection(pool.runItem('a\0b', 0).get())).toMatchObject({
      message: expect.stringContaining('NUL') as unknown,
    })
    expect(await pool.runItem('fine', 1).get()).toMatchObject({ stdout: 'fine\n' })
  })
})

describe('a command that cannot be started', () => {
  it('fails with a message that names it', async () => {
    const error = await rejection(commandPool(['no-such-program-here']).runItem('x', 0).get())
    expect(error).toBeInstanceOf(StartError)
    expect(error).toMatchObject({
      code: 'ENOENT',
      program: 'no-such-program-here',
      message: 'command not found: no executable "no-such-program-here" in PATH',
    })
  })

  it('fails with a message when the file is not executable', async () => {
    const file = join(temporaryFolder(), 'plain.txt')
    writeFileSync(file, 'text')
    expect(await rejection(commandPool([file]).runItem('x', 0).get())).toMatchObject({
      name: 'StartError',
      message: expect.stringContaining(file) as unknown,
    })
  })

  it('fails alone when its arguments are too long, and the next item runs', async () => {
    const pool = commandPool(['printf', '%.3s', '${item}'])
    expect(await rejection(pool.runItem('x'.repeat(4_000_000), 0).get())).toMatchObject({
      name: 'StartError',
      code: 'E2BIG',
    })
    expect(await pool.runItem('fine', 1).get()).toMatchObject({ stdout: 'fin' })
  })

  it('many of them end one after another, without growing the stack', async () => {
    const pool = commandPool(['no-such-program-here'])
    await pool.runItems(Array.from({ length: 3000 }, (_, n) => n)).done
    expect(pool.counts).toMatchObject({ failed: 3000, queued: 0, running: 0 })
    expect(pool.failureCount).toBe(3000)
    expect(pool.failures).toHaveLength(1000)
  })
})

describe('output', () => {
  it('is streamed while the command runs, with worker, task and stream', async () => {
    const pool = commandPool('echo now; exec sleep 300')
    void pool.runItem('x', 0)
    const [output] = await next(pool, 'output')
    expect(output).toMatchObject({ worker: 'PoolWorker-1', taskId: 't1', stream: 'stdout' })
    expect(output.chunk.toString()).toBe('now\n')
    expect(pool.outputTail('t1')).toEqual({ stdout: 'now\n', stderr: '' })
  })

  it('is kept in memory as a bounded tail, and in full in a file', async () => {
    const folder = temporaryFolder()
    const pool = commandPool('yes 0123456789 | head -c 3000000; echo END; echo e >&2', { outputDirectory: folder })
    const result = (await pool.runItem('x', 0).get()) as CommandResult
    expect(result.stdout.length).toBe(64 * 1024)
    expect(result.stdout.endsWith('END\n')).toBe(true)
    expect(result.stdoutPath).toBe(join(folder, 't1-1.stdout'))
    expect(statSync(result.stdoutPath!).size).toBe(3_000_004)
    expect(readFileSync(result.stderrPath!, 'utf8')).toBe('e\n')
  })

  it('makes no file and no folder for a command that prints nothing', async () => {
    const parent = temporaryFolder()
    const pool = commandPool(['true'], { outputDirectory: join(parent, 'output') })
    expect(await pool.runItem('x', 0).get()).toMatchObject({ stdout: '', stdoutPath: null, stderrPath: null })
    expect(readdirSync(parent)).toEqual([])
  })

  it('goes to a private folder by default, which dispose() removes', async () => {
    const pool = commandPool(['echo', 'hello'])
    const { stdoutPath } = (await pool.runItem('x', 0).get()) as CommandResult
    expect(statSync(join(stdoutPath!, '..')).mode & 0o777).toBe(0o700)
    pool.dispose()
    expect(existsSync(join(stdoutPath!, '..'))).toBe(false)
  })

  it('a command is done although the folder for its output cannot be made', async () => {
    const pool = commandPool(['echo', 'hello'], { outputDirectory: '/proc/nowhere' })
    expect(await pool.runItem('x', 0).get()).toMatchObject({ stdout: 'hello\n', stdoutPath: null })
  })

  it('cut in the middle of a character begins at a whole one', async () => {
    // The last 64 KiB of it begin at the second byte of a 🎉; the other three are left out.
    const { stdout } = await run("yes 'ü€🎉' | tr -d '\\n' | head -c 90000; printf done")
    expect(stdout).toMatch(/^ü€🎉[ü€🎉]+done$/u)
    expect(Buffer.byteLength(stdout)).toBe(64 * 1024 - 3)
  })

  it('held open by a descendant does not keep the task running', async () => {
    const pool = commandPool('sleep 300 & echo $!')
    const started = Date.now()
    const result = (await pool.runItem('x', 0).get()) as CommandResult
    endAfterTest(Number(result.stdout))
    expect(isRunning(Number(result.stdout))).toBe(true)
    expect(Date.now() - started).toBeLessThan(5000)
    expect(pool.counts).toMatchObject({ done: 1, running: 0 })
    pool.close()
    await pool.join()
  })

  it('that a descendant prints later is still heard', async () => {
    const folder = temporaryFolder()
    const pool = commandPool(`(while [ ! -e ${join(folder, 'go')} ]; do sleep 0.05; done; echo late) & echo first`)
    const chunks: string[] = []
    pool.on('output', ({ chunk }) => chunks.push(chunk.toString()))
    await pool.runItem('x', 0).get()
    await commandPool(['touch', join(folder, 'go')])
      .runItem('x', 0)
      .get()
    await until(() => chunks.join('').includes('late'), 'the late output')
  })
})

describe('many commands', () => {
  it('300 with processes: 8 are all done, never more than 8 at a time', async () => {
    const pool = commandPool(['sh', '-c', 'exit $((${item} % 10 == 9))'], { processes: 8 })
    let most = 0
    pool.on('taskStart', () => {
      most = Math.max(most, pool.counts.running)
    })
    const values = new Set<number>()
    await pool.runItems(
      Array.from({ length: 300 }, (_, n) => n),
      { onResult: (index) => values.add(index) },
    ).done
    expect(pool.counts).toMatchObject({ done: 270, failed: 30, lost: 0, running: 0, queued: 0 })
    expect(values.size).toBe(270)
    expect(most).toBeLessThanOrEqual(8)
    expect(pool.exitedWorkers).toHaveLength(100)
    expect(pool.exitedWorkerCount).toBe(300)
    expect(new Set(pool.exitedWorkers.map((worker) => worker.name)).size).toBe(100)
  })

  it('hold no more file descriptors than their pipes, and give them back', async () => {
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    const pool = commandPool(['sleep', '300'], { processes: 100 })
    void pool.runItems(Array.from({ length: 100 }, (_, n) => n))
    await until(() => pool.counts.running === 100, 'all run')
    expect(open() - before).toBeLessThanOrEqual(2 * 100 + 5)
    await pool.kill()
    await until(() => open() - before <= 2, 'they are given back')
  })

  it('end in ended when the pool is closed, with no process left', async () => {
    const pool = commandPool(['sh', '-c', 'echo $$'], { processes: 4 })
    const pids: number[] = []
    pool.on('taskStart', (_, worker) => pids.push(worker.pid))
    void pool.runItems(Array.from({ length: 40 }, (_, n) => n))
    pool.close()
    await pool.join()
    expect(pool.counts.done).toBe(40)
    expect(pids.filter((pid) => stateOf(pid) !== undefined)).toEqual([])
  })
})

describe('runItems', () => {
  it('takes items only as workers get free', async () => {
    const pool = commandPool(['true'], { processes: 2 })
    let pulled = 0
    let ahead = 0
    const items = {
      *[Symbol.iterator]() {
        for (; pulled < 30; pulled++) {
          ahead = Math.max(ahead, pulled - pool.counts.done)
          yield pulled
        }
      },
    }
    await pool.runItems(items, { total: 30 }).done
    expect(pool.counts.done).toBe(30)
    expect(ahead).toBeLessThanOrEqual(3)
  })

  it('counts what waits, and forgets it when the pool is ended', async () => {
    const pool = commandPool(['sleep', '300'], { processes: 1 })
    const { done } = pool.runItems(Array.from({ length: 50 }, (_, n) => n))
    await next(pool, 'taskStart')
    expect(pool.counts).toMatchObject({ queued: 49, running: 1 })
    await pool.kill()
    await done
    expect(pool.counts).toMatchObject({ queued: 0, running: 0, lost: 1, cancelled: 49 })
  })

  it('rejects with what the iterable throws, after what was taken has ended', async () => {
    const pool = commandPool(['true'])
    const { done } = pool.runItems({
      *[Symbol.iterator]() {
        yield 1
        throw new Error('bad list')
      },
    })
    expect(await rejection(done)).toMatchObject({ message: 'bad list' })
    expect(pool.counts.done).toBe(1)
  })

  it('of a million numbers starts at once and holds none of them', async () => {
    const pool = commandPool(['sleep', '300'], { processes: 1 })
    const before = process.memoryUsage().heapUsed
    const { done } = pool.runItems(
      {
        *[Symbol.iterator]() {
          for (let n = 0; n < 1_000_000; n++) yield n
        },
      },
      { total: 1_000_000 },
    )
    await next(pool, 'taskStart')
    expect(pool.counts.queued).toBe(999_999)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
    await pool.kill()
    await done
  })
})
