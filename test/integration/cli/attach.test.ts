import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newest } from '../runtimes/pythons'
import { RealTerminal } from './pseudoTerminal'
import { lives, until, Workspace } from './workspace'

let workspace: Workspace
let program: ChildProcess
let pids: number[]

/** A program that nobody watches from its start, with a pool of which half has nothing to do. */
const unwatched = `
import multiprocessing as mp, os, time

def nap(n):
    time.sleep(600)

if __name__ == '__main__':
    p = mp.Pool(4)
    p.map_async(nap, range(2))
    time.sleep(1)
    with open('pids.part', 'w') as file:
        file.write(' '.join(str(pid) for pid in [os.getpid()] + [child.pid for child in mp.active_children()]))
    os.rename('pids.part', 'pids')
    time.sleep(600)
`

beforeEach(async () => {
  workspace = await Workspace.create()
  await workspace.write('unwatched.py', unwatched)
  program = spawn(newest.path, ['unwatched.py'], { cwd: workspace.folder, stdio: 'ignore' })
  pids = (
    await until(
      'the program has its workers',
      async () => (await readFile(join(workspace.folder, 'pids'), 'utf8').catch(() => '')) || undefined,
    )
  )
    .split(' ')
    .map(Number)
})
afterEach(async () => {
  // The program first: its pool would start others in the place of its workers.
  if (program.exitCode === null && program.signalCode === null) {
    program.kill('SIGKILL')
    await once(program, 'exit')
  }
  for (const pid of await allOfIt()) process.kill(pid, 'SIGKILL')
  await until('the last of its workers ends', async () => (await allOfIt()).length === 0 || undefined)
  await workspace.dispose()
})

/** Its command line and folder are those of the program that this test started. */
async function isStillOurs(pid: number): Promise<boolean> {
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '')
  return (
    folder === workspace.folder &&
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('unwatched.py')
  )
}

/** The program, its workers, and whatever has taken their place. */
async function allOfIt(): Promise<number[]> {
  const all = (await readdir('/proc')).map(Number).filter((pid) => pid > 1)
  const ours = await Promise.all(all.map(async (pid) => ((await isStillOurs(pid)) && (await lives(pid)) ? [pid] : [])))
  return ours.flat()
}

it('attach shows the tree that was found, and nothing is sent to it', async () => {
  const { code, stdout, stderr } = await workspace.run('attach', String(program.pid))
  expect(code).toBe(0)
  for (const pid of pids) expect(stdout).toContain(String(pid))
  expect(stdout).toContain('attached, read-only')
  expect(stderr).toMatch(/unhang terminate .*asks before/)
  for (const pid of pids) expect(await lives(pid)).toBe(true)
})

it('terminate of an attached program needs --yes without a terminal, and names every pid', async () => {
  await workspace.run('attach', String(program.pid))
  const refused = await workspace.run('terminate', String(program.pid))
  expect(refused.code).toBe(1)
  for (const pid of pids) expect(refused.stderr).toContain(String(pid))
  expect(refused.stderr).toContain('--yes')
  for (const pid of pids) expect(await lives(pid)).toBe(true)
  const done = await workspace.run('terminate', String(program.pid), '--yes', '--sigkill')
  expect({ code: done.code, stdout: done.stdout }).toEqual({ code: 0, stdout: '' })
  for (const pid of pids) await until(`${pid} ends`, async () => !(await lives(pid)) || undefined)
})

it('terminate of an attached program leaves no worker that its pool has started in the place of another', async () => {
  await workspace.run('attach', String(program.pid))
  expect((await allOfIt()).sort()).toEqual([...pids].sort())
  const done = await workspace.run('terminate', String(program.pid), '--yes')
  expect({ code: done.code, stdout: done.stdout }).toEqual({ code: 0, stdout: '' })
  const left = await allOfIt()
  // Nobody else would end them.
  for (const pid of left) process.kill(pid, 'SIGKILL')
  expect(left).toEqual([])
})

it('kill of an attached program asks once in a terminal', async () => {
  await workspace.run('attach', String(program.pid))
  const no = new RealTerminal(workspace, ['kill', String(program.pid)])
  await no.untilShown('[y/N]')
  no.type('n\n')
  expect(await no.ended).toBe(1)
  for (const pid of pids) expect(await lives(pid)).toBe(true)
  const yes = new RealTerminal(workspace, ['kill', String(program.pid)])
  await yes.untilShown('[y/N]')
  for (const pid of pids) expect(yes.shown).toContain(String(pid))
  yes.type('y\n')
  expect(await yes.ended).toBe(0)
  for (const pid of pids) await until(`${pid} ends`, async () => !(await lives(pid)) || undefined)
})

it('attach of a process that does not exist says so', async () => {
  const { code, stderr } = await workspace.run('attach', '999999')
  expect(code).toBe(1)
  expect(stderr).toContain('999999')
})

it('attach of a worker of an attached program is refused: it would be there twice', async () => {
  const [own = 0, worker = 0] = pids
  await workspace.run('attach', String(own))
  const { code, stdout, stderr } = await workspace.run('attach', String(worker))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(new RegExp(`Process ${worker} belongs to .*\\(pid ${own}\\), which is attached already`))
  expect((await workspace.pools()).map(({ kind }) => kind)).toEqual(['attached'])
  // The program itself may be named again.
  expect((await workspace.run('attach', String(own))).code).toBe(0)
})

it('attach of the shell that started the host shows what the shell runs, and not the host', async () => {
  const { command, cwd, env } = workspace.commandLine(['attach'])
  // The command is a child of this shell, and starts the host.
  const shell = spawn(
    'sh',
    ['-c', `sleep 600 & ${command.map((word) => `'${word}'`).join(' ')} $$; echo "sleep $!"; wait`],
    { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let stdout = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  try {
    const sleeper = Number(await until('the shell has attached to itself', () => /^sleep (\d+)$/m.exec(stdout)?.[1]))
    const host = await workspace.hostPid()
    expect(stdout).toMatch(new RegExp(`^ +${shell.pid} .*\\n +${sleeper} `, 'm'))
    expect(stdout).not.toMatch(new RegExp(`\\b${host}\\b`))
    expect((await workspace.pools()).flatMap(({ workers }) => workers).map(({ pid }) => pid)).not.toContain(host)
    expect(await workspace.run('kill', String(shell.pid), '--yes')).toMatchObject({ code: 0, stdout: '' })
    expect(await lives(sleeper)).toBe(false)
    expect(await lives(host)).toBe(true)
  } finally {
    shell.kill('SIGKILL')
  }
})
