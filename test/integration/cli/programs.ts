import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WhyJson, WhyPool } from '../../../src/cli/why/json'
import { newest } from '../runtimes/pythons'
import { until, type RunningCli, type Workspace } from './workspace'

const fixtures = fileURLToPath(new URL('../../fixtures/programs/', import.meta.url))

/** Runs a program of test/fixtures/programs under watch, as in a terminal of its own. */
export async function runFixture(
  workspace: Workspace,
  name: string,
  { python = newest, options = [] as readonly string[] } = {},
): Promise<RunningCli> {
  await copyFixture(workspace, name)
  return runProgram(workspace, name, { python, options })
}

export async function copyFixture(workspace: Workspace, name: string): Promise<void> {
  await cp(join(fixtures, name), join(workspace.folder, name))
}

/** Runs a Python file of the workspace under watch. */
export function runProgram(
  workspace: Workspace,
  file: string,
  { python = newest, options = [] as readonly string[] } = {},
): RunningCli {
  return workspace.start(['run', ...options, '--', python.path, file])
}

/** What `unhang why --json` says now, and its exit code. */
export async function whyNow(
  workspace: Workspace,
  ...args: readonly string[]
): Promise<{ code: number | null; pools: readonly WhyPool[] }> {
  const { code, stdout, stderr } = await workspace.run('why', '--json', ...args)
  if (stdout === '') throw new Error(`why: exit ${String(code)}: ${stderr}`)
  return { code, pools: (JSON.parse(stdout) as WhyJson).pools }
}

/** The pool that has this verdict, once one has. */
export async function untilVerdict(workspace: Workspace, code: string, { withinMs = 20_000 } = {}): Promise<WhyPool> {
  let last: readonly WhyPool[] = []
  try {
    return await until(
      `a verdict ${code}`,
      async () => {
        last = (await whyNow(workspace)).pools
        return last.find(({ verdicts }) => verdicts.some((verdict) => verdict.code === code))
      },
      { withinMs },
    )
  } catch (error) {
    throw new Error(`${String(error)}; last: ${JSON.stringify(last)}`, { cause: error })
  }
}
