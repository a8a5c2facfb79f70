import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { newest } from '../runtimes/pythons'
import { cliScript, isRunning, programs, until, Watch } from '../programs/watch'

describe('a host that is killed in the middle of a rescue', { retry: 0, timeout: 90_000 }, () => {
  it.each([0, 5, 20])(
    '%i ms after it began has rescued the task once, or not at all, and the program can be ended',
    async (afterMs) => {
      const other = await Watch.open()
      try {
        const env = { ...other.env, UNHANG_TEST_PROGRAM: 'rescued', PYTHONUNBUFFERED: '' }
        const cli = spawn(
          process.execPath,
          [cliScript, 'run', '--', newest.path, join(programs, 'lost-task.py'), 'fork', 'sys-exit', 'map'],
          { cwd: other.root, env, stdio: ['ignore', 'pipe', 'pipe'] },
        )
        let [stdout, stderr] = ['', '']
        cli.stdout.setEncoding('utf8').on('data', (text: string) => {
          stdout += text
        })
        cli.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text
        })
        const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
          cli.once('close', (code, signal) => {
            resolve({ code, signal })
          })
        })
        const lost = await until(
          'the lost task',
          () =>
            other.pools.flatMap((pool) =>
              pool.verdicts
                .filter(({ code, stuck }) => code === 'lost-task' && stuck)
                .map(({ task }) => ({ poolId: pool.id, task: task ?? '' })),
            )[0],
          { seen: () => ({ stdout, stderr }), withinMs: 30_000 },
        )
        const rescue = other.host
          .request('unhang/rescue', {
            poolId: lost.poolId,
            actions: [{ kind: 'fail', task: lost.task }],
            askedBy: 'cli',
          })
          .catch((error: unknown) => error)
        await sleep(afterMs)
        process.kill(other.host.info.pid, 'SIGKILL')
        await until('the host is dead', () => !isRunning(other.host.info.pid))
        await rescue
        // What was carried out in the program stays so; what was not leaves it as it was.
        const rescued = await Promise.race([
          ended.then(() => true),
          until('it went on', () => stdout.includes('caught') || undefined, { withinMs: 2000 }).then(
            () => true,
            () => false,
          ),
        ])
        if (rescued) {
          expect(await ended, stderr).toEqual({ code: 0, signal: null })
          expect(stdout.split('\n').filter((line) => line.startsWith('caught'))).toHaveLength(1)
          expect(stdout).toContain('after [1, 2]')
        } else {
          expect(stdout).not.toContain('after')
          cli.kill('SIGTERM')
          await Promise.race([
            ended,
            sleep(20_000, undefined, { ref: false }).then(() => {
              throw new Error(`not ended by SIGTERM: ${stdout} ${stderr}`)
            }),
          ])
        }
        const { directory } = other.host.endpoint
        await other.reconnect()
        await until(
          'the session of the dead host is gone',
          () => readdirSync(directory).every((name) => !name.startsWith('program-')),
          { withinMs: 30_000, seen: () => readdirSync(directory) },
        )
        const left = (): number[] => other.processes().filter((pid) => pid !== other.host.info.pid)
        await until('all its processes are gone', () => left().length === 0, { withinMs: 30_000, seen: left })
      } finally {
        await other.close()
      }
    },
  )
})
