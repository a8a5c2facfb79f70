import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { itWithPythonTooOld } from '../runtimes/pythons'
import { runProgram } from './programs'
import { RealTerminal } from './pseudoTerminal'
import { lives, RunningCli, until, Workspace } from './workspace'

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

/** A line for bash, in which `"$@"` is `unhang run`, as one would type it. */
function typed(line: string): RunningCli {
  const { command, cwd, env } = workspace.commandLine(['run'])
  return new RunningCli(
    spawn('bash', ['-c', line, 'bash', ...command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

/** Waits for the file that a program wrote, and reads it. */
async function untilWritten(name: string): Promise<string> {
  return await until(
    `the program writes ${name}`,
    async () => (await readFile(join(workspace.folder, name), 'utf8').catch(() => '')) || undefined,
  )
}

const python = ['python3', '-c']

describe('a program under unhang run', () => {
  it('prints what it prints, on the stream it prints it to, and nothing else is on stdout', async () => {
    const { code, stdout, stderr } = await workspace.run('run', '--', 'sh', '-c', 'echo out; echo err >&2')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'out\n' })
    expect(stderr).toContain('err\n')
  })
  it.each([0, 1, 2, 7, 126, 127, 255])('passes on exit code %i', async (code) => {
    expect((await workspace.run('run', '--', 'sh', '-c', `exit ${code}`)).code).toBe(code)
  })
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)(
    'ends by %s when the program does',
    async (signal) => {
      expect(await workspace.run('run', '--', 'sh', '-c', `kill -${signal.slice(3)} $$`)).toMatchObject({
        code: null,
        signal,
      })
    },
  )
  it('ends with 128 and the signal where that would leave a core file', async () => {
    expect(await workspace.run('run', '--', 'sh', '-c', 'ulimit -c 0; kill -ABRT $$')).toMatchObject({
      code: 134,
      signal: null,
    })
  })
  it('has the words of its command line as they are', async () => {
    const { stdout } = await workspace.run(
      'run',
      '--',
      ...python,
      'import sys; print(sys.argv[1:])',
      '--name',
      '-w',
      '$HOME',
      'a b',
      '--',
      '',
    )
    expect(stdout.trim()).toBe("['--name', '-w', '$HOME', 'a b', '--', '']")
  })
  it('reads what is piped into it', async () => {
    const cli = typed('echo piped | "$@" -- cat')
    expect(await cli.finished).toMatchObject({ code: 0, stdout: 'piped\n' })
  })
  it('is ended by a pipe that nobody reads any more', async () => {
    const { stdout } = await typed('"$@" -- yes | head -1; echo "${PIPESTATUS[0]}"').finished
    expect(stdout).toBe('y\n141\n')
  })
  it('has the descriptors that its shell opened for it', async () => {
    expect(await typed('"$@" -- cat <(echo one) <(echo two)').finished).toMatchObject({ code: 0, stdout: 'one\ntwo\n' })
    expect(await typed('"$@" -- sh -c "cat <&7" 7<<<seven').finished).toMatchObject({ code: 0, stdout: 'seven\n' })
  })
  it('has no descriptor of ours', async () => {
    const { stdout } = await typed(
      'exec 3>&- 4>&- 5>&- 6>&-; "$@" -- python3 -c "import os; print([n for n in os.listdir(\'/proc/self/fd\') ' +
        "if int(n) > 2 and os.path.exists(f'/proc/self/fd/{n}')])\" 2>&1",
    ).finished
    const own = await new RunningCli(
      spawn(
        'bash',
        [
          '-c',
          "exec 3>&- 4>&- 5>&- 6>&-; python3 -c \"import os; print([n for n in os.listdir('/proc/self/fd') if " +
            "int(n) > 2 and os.path.exists(f'/proc/self/fd/{n}')])\"",
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    ).finished
    expect(stdout.split('\n').at(-2)).toBe(own.stdout.trim())
  })
  it('is told a SIGTERM that we get, and decides', async () => {
    const cli = workspace.start([
      'run',
      '--',
      ...python,
      'import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(9))\nopen("ready", ' +
        '"w").write("1")\ntime.sleep(600)',
    ])
    await untilWritten('ready')
    cli.signal('SIGTERM')
    expect((await cli.finished).code).toBe(9)
  })
  it('ends us when it ends by a SIGTERM or SIGHUP that we got', async () => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const cli = workspace.start(['run', '--', 'sh', '-c', `echo $$ > ${signal}; exec sleep 600`])
      const pid = Number(await untilWritten(signal))
      cli.signal(signal)
      expect((await cli.finished).signal).toBe(signal)
      expect(await lives(pid)).toBe(false)
    }
  })
})

describe('a program that cannot be started', () => {
  it('is 127 where there is none, with what to do', async () => {
    const { code, stdout, stderr } = await workspace.run('run', '--', 'no-such-program')
    expect({ code, stdout }).toEqual({ code: 127, stdout: '' })
    expect(stderr).toMatch(/unhang: no-such-program: there is no such program\n {2}It was looked for in PATH/)
  })
  it('is 126 where it is not executable', async () => {
    await workspace.write('train.py', 'print(1)')
    const { code, stderr } = await workspace.run('run', '--', './train.py')
    expect(code).toBe(126)
    expect(stderr).toContain('unhang run -- python3 ./train.py')
  })
})

describe('a program in a terminal', () => {
  it('has it, as without us', async () => {
    const terminal = new RealTerminal(workspace, [
      'run',
      '--',
      ...python,
      'import os; print([os.isatty(n) for n in (0, 1, 2)], os.tcgetpgrp(0) == os.getpgrp(), ' +
        'os.get_terminal_size().columns)',
    ])
    expect(await terminal.ended).toBe(0)
    expect(terminal.shown).toContain('[True, True, True] True 100')
  })
  it('reads what is typed', async () => {
    const terminal = new RealTerminal(workspace, ['run', '--', ...python, 'print("you said " + input("name? "))'])
    await terminal.untilShown('name? ')
    terminal.type('Ada\n')
    await terminal.untilShown('you said Ada')
    expect(await terminal.ended).toBe(0)
  })
  it('gets Ctrl-C once, and may go on', async () => {
    const terminal = new RealTerminal(workspace, [
      'run',
      '--',
      ...python,
      [
        'import signal, time',
        'got = []',
        'signal.signal(signal.SIGINT, lambda *a: got.append(1))',
        'print("ready", flush=True)',
        'deadline = time.time() + 30',
        'while not got and time.time() < deadline: time.sleep(0.05)',
        'time.sleep(0.5)',
        'print("interrupts:", len(got))',
      ].join('\n'),
    ])
    await terminal.untilShown('ready')
    terminal.type('\x03')
    await terminal.untilShown('interrupts: 1')
    expect(await terminal.ended).toBe(0)
  })
  it('ends by Ctrl-C as any other', async () => {
    const terminal = new RealTerminal(workspace, ['run', '--', 'sh', '-c', 'echo ready; sleep 600'])
    await terminal.untilShown('ready')
    terminal.type('\x03')
    expect(await terminal.ended).toBe(128 + 2)
  })
  it('is stopped by Ctrl-Z together with us, and goes on with us', async () => {
    // A shell with job control, because only a shell makes Ctrl-Z mean something.
    const { command } = workspace.commandLine([
      'run',
      '--',
      'sh',
      '-c',
      'echo $$ > pid; echo ready; sleep 1; echo went on',
    ])
    await workspace.write(
      'job.sh',
      `set -m\n${command.map((word) => `'${word}'`).join(' ')}\necho "stopped: $?"\nfg\necho "ended: $?"\n`,
    )
    const terminal = new RealTerminal(workspace, [], 100, ['bash', 'job.sh'])
    await terminal.untilShown('ready')
    terminal.type('\x1a')
    await terminal.untilShown(/stopped: 148/)
    await terminal.untilShown('went on')
    await terminal.untilShown('ended: 0')
    expect(await terminal.ended).toBe(0)
  })
})

describe('a host that fails', () => {
  const slowProgram = [
    'run',
    '--',
    'sh',
    '-c',
    'echo $$ > pid; while [ ! -e go ]; do sleep 0.05; done; echo went on; exit 5',
  ]

  it('by dying, leaves the program running, and is noted once', async () => {
    const cli = workspace.start(slowProgram)
    await untilWritten('pid')
    process.kill(await workspace.hostPid(), 'SIGKILL')
    await until('the note', () => (/host has ended|unwatched/.test(cli.stderr) ? true : undefined))
    await workspace.write('go', '')
    const { code, stdout, stderr } = await cli.finished
    expect({ code, stdout }).toEqual({ code: 5, stdout: 'went on\n' })
    expect(stderr.match(/unwatched/g)).toHaveLength(1)
  })
  it('by standing still, delays its end by little', async () => {
    const cli = workspace.start(slowProgram)
    await untilWritten('pid')
    const host = await workspace.hostPid()
    process.kill(host, 'SIGSTOP')
    try {
      await workspace.write('go', '')
      const before = Date.now()
      expect(await cli.finished).toMatchObject({ code: 5, stdout: 'went on\n' })
      expect(Date.now() - before).toBeLessThan(8000)
    } finally {
      process.kill(host, 'SIGCONT')
    }
  })
  it('to start, does not keep the program from running', async () => {
    const { code, stdout, stderr } = await workspace.start(['run', '--', 'echo', 'ran'], {
      env: { UNHANG_RUNTIME_DIR: '/proc/nowhere' },
    }).finished
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ran\n' })
    expect(stderr).toContain('unwatched')
  })
})

describe('a program that gets stuck', () => {
  const exits =
    'import sys\nfrom multiprocessing import Pool\n\ndef f(x):\n    if x == 3:\n        sys.exit(1)\n    return ' +
    'x\n\nif __name__ == "__main__":\n    with Pool(2) as p:\n        p.map(f, range(6), chunksize=1)\n'

  it.each([
    ['kill', 'SIGKILL'],
    ['terminate', 'SIGTERM'],
  ] as const)('is ended by --on-stuck %s, and the terminal says why and by what', async (onStuck, signal) => {
    await workspace.write('exits.py', exits)
    const ended = await runProgram(workspace, 'exits.py', {
      options: ['--on-stuck', onStuck, '--stuck-after-ms', '1000'],
    }).finished
    expect(ended).toMatchObject({ code: null, signal })
    expect(ended.stderr).toMatch(
      new RegExp(`^stuck \\(lost-task\\): .*f\\(3\\) was lost .*\\nexits\\.py is ended by --on-stuck ${onStuck}\\n$`),
    )
  })
  it('says what --on-stuck retry does, and when it gives up', async () => {
    await workspace.write('exits.py', exits)
    const program = runProgram(workspace, 'exits.py', { options: ['--on-stuck', 'retry', '--stuck-after-ms', '1000'] })
    await until('the last line', () =>
      program.stderr.includes('retry gives up on f(3): unhang why exits.py:10\n') ? true : undefined,
    )
    expect(program.stderr.match(/^exits\.py:10: f\(3\) is in the queue again \(by --on-stuck retry\)$/gm)).toHaveLength(
      3,
    )
  })
})

describe('a program that cannot be observed', () => {
  it('is told before it starts', async () => {
    const { code, stdout, stderr } = await workspace.run('run', '--', 'python3', '-I', '-c', 'print(1)')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' })
    expect(stderr).toMatch(/^unhang: .* is not observed: started with -I, .*; start it without -I\n$/)
  })
  itWithPythonTooOld(
    'because its Python is too old, is told when it makes its first pool, and is not disturbed',
    async (old) => {
      await workspace.write(
        'old.py',
        'import os, time\nfrom multiprocessing import Pool\nif __name__ == "__main__":\n    p = Pool(2)\n    ' +
          'print(p.map(abs, [-1, 2]))\n    while not os.path.exists("go"): time.sleep(0.05)\n',
      )
      for (const { version, path } of old) {
        const program = runProgram(workspace, 'old.py', { python: { version, path } })
        const message = `not observed: Python ${version}; 3.8 or later is needed`
        await until('the note', () => (program.stderr.includes(message) ? true : undefined))
        expect((await workspace.run('ps')).stdout).toContain(message)
        expect((await workspace.run('why')).stdout).toContain(message)
        await workspace.write('go', '')
        expect(await program.finished).toMatchObject({
          code: 0,
          stdout: '[1, 2]\n',
          stderr: `unhang: old.py is ${message}\n`,
        })
        await rm(join(workspace.folder, 'go'))
      }
    },
  )
  itWithPythonTooOld('is not told where no pool is made', async (old) => {
    for (const { path } of old)
      expect(await workspace.run('run', '--', path, '-c', 'import multiprocessing')).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '',
      })
  })
})

it('is the same program for its parent: a shell that waits for it sees its end', async () => {
  const child = typed('"$@" -- sh -c "exit 3" & wait $!; echo "code $?"')
  await once(child.child, 'close')
  expect(child.stdout).toBe('code 3\n')
})
