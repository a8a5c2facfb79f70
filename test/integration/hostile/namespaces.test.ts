import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Container, itWithPython, uid, whyNoContainer } from './container'

const missing = whyNoContainer()
let container: Container

describe.skipIf(missing !== undefined)(
  `processes that do not see each other${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { retry: 0, timeout: 120_000 },
  () => {
    beforeEach(() => {
      container = new Container()
    })
    afterEach(async () => {
      await container.dispose()
    })

    itWithPython(
      'a client in another pid namespace with the same runtime folder is refused in clear words, and its program ' +
        'runs unwatched',
      async () => {
        container.write(
          '.vscode/tasks.json',
          JSON.stringify({
            version: '2.0.0',
            tasks: [{ type: 'pool', label: 'Sleep', command: 'sleep 600', items: [1], processes: 1 }],
          }),
        )
        container.write('says.py', 'print("ran")\n')
        const here = { UNHANG_RUNTIME_DIR: `${container.folder}/r` }
        expect(await container.unhang(['pool', '--detach', 'Sleep'], here)).toMatchObject({ code: 0 })
        const inside = (...args: string[]) =>
          container.inOwnPids(
            [
              'sh',
              '-c',
              `node=$1 cli=$2; exec setpriv --reuid ${uid} --regid ${uid} --clear-groups "$node" "$cli" ` +
                args.join(' '),
              'sh',
            ],
            'rw',
            here,
          )

        const ran = await inside('run', '--', 'python3', 'says.py')
        expect(ran).toMatchObject({ code: 0, stdout: 'ran\n' })
        expect(ran.stderr).toMatch(
          /^unhang: the program runs unwatched, because .*another pid namespace.*Set UNHANG_RUNTIME_DIR/,
        )
        expect(ran.stderr.trim().split('\n')).toHaveLength(1)

        const ps = await inside('ps')
        expect(ps.code).toBe(1)
        expect(ps.stderr).toMatch(/another pid namespace/)

        // Whom the host owns is untouched, and where it runs it is asked as before.
        expect((await container.unhang(['ps'], here)).stdout).toMatch(/Sleep/)
        expect(await container.unhang(['host', 'stop'], here)).toMatchObject({ code: 0 })
      },
    )

    it('works where a user sees no processes but the own ones (hidepid)', async () => {
      container.write(
        '.vscode/tasks.json',
        JSON.stringify({
          version: '2.0.0',
          tasks: [{ type: 'pool', label: 'Sleep', command: 'sleep 600', items: [1, 2], processes: 2 }],
        }),
      )
      const commands = `node=$1 cli=$2
      exec setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all sh -c '
      test -e /proc/1 && echo "pid 1 is seen"
      "$0" "$1" pool --detach Sleep && "$0" "$1" ps && "$0" "$1" terminate Sleep && "$0" "$1" host stop' "$node" "$cli"`
      const ran = await container.inOwnPids(['sh', '-c', commands, 'sh'], 'hidepid=2')
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      expect(ran.stdout).not.toContain('pid 1 is seen')
      expect(ran.stdout).toMatch(/Sleep[^]*2 running|running[^]*2/)
    })
  },
)
