import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { repository, temporaryFolder } from './support'

const require = createRequire(import.meta.url)
const run = promisify(execFile)
const section = readFileSync(join(repository, 'media/docs/core.md'), 'utf8')
const blocks = [...section.matchAll(/```(js|text)\n([^]*?)```/g)].map(([, language, text]) => ({
  language,
  text: text!,
}))

/** A folder outside of the repository, with the engine as it is installed: nothing but dist/. */
function installed(): string {
  const folder = temporaryFolder()
  const engine = join(folder, 'node_modules/unhang/dist')
  mkdirSync(engine, { recursive: true })
  for (const file of ['core.js', 'core.d.ts', 'types', 'node-worker.js'])
    cpSync(join(repository, 'dist', file), join(engine, file), { recursive: true })
  return folder
}

/** The compiler tells its errors on stdout and by its exit code. */
function thrownWithOutput(error: { stdout?: string; message: string }): { stdout: string } {
  return { stdout: error.stdout === undefined || error.stdout === '' ? error.message : error.stdout }
}

describe('the engine in a script of its own', () => {
  it('does what media/docs/core.md says', async () => {
    const folder = installed()
    for (const { text } of blocks.slice(0, 2)) writeFileSync(join(folder, /^\/\/ (\S+)/.exec(text)![1]!), text)
    const { stdout, stderr } = await run(process.execPath, ['main.js'], { cwd: folder, timeout: 60_000 })
    expect(stderr).toBe('')
    expect(stdout).toBe(blocks[2]!.text)
  })

  it('has types that a strict TypeScript program can use', async () => {
    const folder = installed()
    mkdirSync(join(folder, 'node_modules/@types'))
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(join(require.resolve(`${name}/package.json`), '..'), join(folder, 'node_modules', name))
    writeFileSync(
      join(folder, 'main.ts'),
      `
      import { Pool, PreemptionHandler, TerminationConfig, activeChildren, terminatePools } from 'unhang/dist/core.js'
      import type { AsyncResult, PoolStats, WorkerInfo } from 'unhang/dist/core.js'
      async function main(): Promise<void> {
        await using pool = new Pool({ module: './tasks.js', processes: 2, initializer: 'setUp', initargs: [1] })
        const result: AsyncResult<number> = pool.applyAsync<number>('square', [2], {
          callback: (value: number) => { console.log(value) },
        })
        const squares: number[] = await pool.map<number>('square', [1, 2], { chunkSize: 2 })
        for await (const square of pool.imapUnordered<number>('square', squares)) console.log(square)
        const stats: PoolStats = pool.stats()
        const workers: WorkerInfo[] = pool.workers
        const termination = new TerminationConfig({ save: () => undefined, gracePeriodMs: 1000 })
        new PreemptionHandler({ pools: [pool], termination })
        const issues: string[] = await terminatePools({ gracePeriodMs: 100, useSigkill: false })
        // @ts-expect-error a pool runs one thing
        new Pool({ processes: 2 })
        console.log(result, stats, workers, issues, activeChildren())
      }
      void main()
    `,
    )
    const options = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
      '--types',
      'node',
      'main.ts',
    ]
    const { stdout } = await run(process.execPath, [require.resolve('typescript/bin/tsc'), ...options], {
      cwd: folder,
      timeout: 120_000,
    }).catch(thrownWithOutput)
    expect(stdout).toBe('')
  })
})
