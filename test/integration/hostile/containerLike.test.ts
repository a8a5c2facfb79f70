import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../host/testWorkspace'
import { Container, itWithPython, uid, whyNoContainer, type Ran } from './container'
import { pattern } from '../../pattern'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const missing = whyNoContainer()
let container: Container

/** A pool whose worker is lost with its task: the program waits for ever. */
const hangs = `
import multiprocessing, os, signal
def work(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number
if __name__ == "__main__":
    print(os.getuid(), flush=True)
    with multiprocessing.Pool(2) as pool:
        print(pool.map(work, range(4), chunksize=1))
`

describe.skipIf(missing !== undefined)(
  `a user without a name and a home, on a read-only system${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { retry: 0, timeout: 120_000 },
  () => {
    beforeEach(() => {
      container = new Container()
    })
    afterEach(async () => {
      await container.dispose()
    })

    itWithPython('runs a program watched, sees why it hangs, and ends it', async () => {
      container.write('hangs.py', hangs)
      const running = container.unhang(['run', '--name', 'hangs', '--', 'python3', 'hangs.py'])
      let last: Ran | undefined
      await until(
        'the verdict',
        async () => {
          last = await container.unhang(['why', 'hangs'])
          return last.stdout.includes('lost-task')
        },
        60_000,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}; last: ${JSON.stringify(last)}`)
      })
      expect(last?.code).toBe(1)

      const ps = await container.unhang(['ps'])
      expect(ps).toMatchObject({ code: 0, stderr: '' })
      expect(ps.stdout).toContain('hangs')

      expect(await container.unhang(['terminate', 'hangs'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
      const { stdout, stderr } = await running
      expect(stdout).toBe(`${uid}\n`)
      expect(stderr).not.toMatch(/unwatched|not observed/)
    })

    it('runs a pool task to its end', async () => {
      container.write(
        '.vscode/tasks.json',
        JSON.stringify({
          version: '2.0.0',
          tasks: [{ type: 'pool', label: 'Count', command: 'echo ${item}', items: [1, 2, 3], processes: 2 }],
        }),
      )
      const { code, stdout, stderr } = await container.unhang(['pool', 'Count'])
      expect({ code, stderr }).toMatchObject({ code: 0 })
      for (const item of [1, 2, 3]) expect(stdout).toMatch(new RegExp(`${item}$`, 'm'))
    })

    it('serves an editor as well: what it asks before and when it connects needs no name and no home', async () => {
      await build({
        absWorkingDir: repository,
        entryPoints: { discovery: 'src/discovery/index.ts' },
        outdir: container.folder,
        bundle: true,
        platform: 'node',
        target: 'node20.19',
        format: 'cjs',
        mainFields: ['module', 'main'],
        logLevel: 'error',
      })
      container.write(
        'editor.cjs',
        `
      const { hostTraces, HostConnection, lookAtHost, endpointOf } = require('../discovery.js')
      const root = process.cwd(), env = process.env
      const hostScript = ${JSON.stringify(join(dirname(container.cli), 'host.js'))}
      void (async () => {
        const before = await hostTraces(root)
        const host = await HostConnection.connect({ root, hostScript, start: true, client: 'vscode', env })
        const status = await host.request('unhang/hostStatus', {})
        const nodePath = process.execPath
        const seen = await lookAtHost({ root: (await endpointOf(root)).root, hostScript, nodePath, env })
        console.log(JSON.stringify({ before, after: await hostTraces(root), isSame: status.pid === seen.pid }))
        await host.close()
      })()`,
      )
      const ran = await container.run([process.execPath, 'editor.cjs'])
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      expect(JSON.parse(ran.stdout)).toEqual({
        before: { announced: false, ledger: false },
        after: { announced: true, ledger: false },
        isSame: true,
      })
    })

    it('refuses a definition that needs a home folder, with what to do', async () => {
      container.write(
        '.vscode/tasks.json',
        JSON.stringify({
          version: '2.0.0',
          tasks: [{ type: 'pool', label: 'Home', command: 'ls ${userHome}', items: [1] }],
        }),
      )
      const { code, stderr } = await container.unhang(['pool', 'Home'])
      expect(stderr).toMatch(/"command" holds \$\{userHome\}, and this user has no home folder\. Set HOME/)
      expect(code).toBe(1)
    })

    itWithPython(
      'says which folder it cannot use when there is none to write, and runs the program all the same',
      async () => {
        container.write('says.py', 'print("ran")\n')
        const ran = await container.unhang(['run', '--', 'python3', 'says.py'], { UNHANG_RUNTIME_DIR: '/var/unhang' })
        expect(ran).toMatchObject({ code: 0, stdout: 'ran\n' })
        expect(ran.stderr).toMatch(
          pattern(
            /^unhang: the program runs unwatched, because unhang cannot use the runtime folder/,
            / \/var\/unhang: .*read-only.* Set UNHANG_RUNTIME_DIR to a folder that you can write/,
          ),
        )
        expect(ran.stderr.trim().split('\n')).toHaveLength(1)
      },
    )

    it.each(['.', 'relative/folder'])(
      "with TMPDIR=%s, client and host meet in the system's own folder, or say that it cannot be written",
      async (folder) => {
        const { code, stderr } = await container.unhang(['ps'], { TMPDIR: folder })
        expect(stderr).toMatch(new RegExp(`cannot use the runtime folder /tmp/unhang-${uid}: .*read-only`))
        expect(code).toBe(1)
      },
    )
  },
)
