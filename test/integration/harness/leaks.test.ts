import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MarkedRun } from '../../harness/leaks.mjs'

describe('the leak check', () => {
  let run: MarkedRun
  let child: ChildProcess | undefined
  beforeEach(() => {
    run = new MarkedRun({ settleMs: 300 })
  })
  afterEach(async () => {
    if (child) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      child = undefined
    }
    run.remove()
  })
  const left = async () => Object.fromEntries((await run.leaks()).map(({ check, left }) => [check, left]))

  test('finds nothing after a run that cleaned up', async () => {
    expect(await left()).toEqual({
      'no process is left': [],
      'no socket is left': [],
      'no temporary folder is left': [],
    })
  })

  test.runIf(process.platform === 'linux')(
    'finds a process by the mark that it inherited, and leaves it alive',
    async () => {
      child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)', '--', 'left-behind'], {
        env: run.environment,
        stdio: ['ignore', 'pipe', 'ignore'],
        detached: true,
      })
      await once(child.stdout!, 'data')
      expect((await left())['no process is left']).toEqual([expect.stringContaining(`pid ${String(child.pid)}`)])
      expect(child.exitCode).toBeNull()
    },
  )

  test.runIf(process.platform === 'linux')('ends what an interrupted run left, and nothing else', async () => {
    child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], {
      env: run.environment,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    await once(child.stdout!, 'data')
    const ended = once(child, 'exit')
    run.endMarked()
    expect(await ended).toEqual([null, 'SIGKILL'])
    child = undefined
  })

  test('finds a socket and a folder of ours', async () => {
    const folder = join(run.folder, 'unhang-forgotten')
    mkdirSync(folder)
    const server = createServer().listen(join(folder, 'h.sock'))
    await once(server, 'listening')
    try {
      expect(await left()).toMatchObject({
        'no socket is left': [join(folder, 'h.sock')],
        'no temporary folder is left': [folder],
      })
    } finally {
      server.close()
    }
  })
})
