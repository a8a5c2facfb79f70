import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RealTerminal } from './pseudoTerminal'
import { lives, Workspace } from './workspace'

const controlC = '\x03'

/** Every state of the line that is rewritten in place. */
function statusLines(shown: string): string[] {
  return shown
    .split('\r\x1b[K')
    .slice(1)
    .map((rest) => rest.split(/[\r\n]/, 1)[0]!)
    .filter((line) => /^Naps: \d+ of/.test(line))
}

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
})
afterEach(async () => {
  await workspace.dispose()
})

/** Of tasks that take long enough for the line to be rewritten, however busy the machine is. */
async function runNaps(columns?: number): Promise<RealTerminal> {
  await workspace.writeTasks([
    { label: 'Naps', command: ['sleep', '${item}'], items: Array.from({ length: 12 }, () => '0.25'), processes: 2 },
  ])
  const terminal = new RealTerminal(workspace, ['pool', 'Naps'], columns)
  expect(await terminal.ended, terminal.shown).toBe(0)
  return terminal
}

it('rewrites the progress line in place, in colours, and leaves none of it behind', async () => {
  const terminal = await runNaps()
  expect(statusLines(terminal.shown).at(-1)).toMatch(/^Naps: \d+ of \d+ done, \d+ running/)
  expect(terminal.shown).toContain('\x1b[32mNaps: all ')
  const screen = terminal.shown.split('\r\n').map((line) => stripVTControlCharacters(line.split('\r').at(-1)!))
  expect(screen.filter((line) => line.includes(' running'))).toEqual([])
})

it('fits the progress line into a narrow terminal', async () => {
  const terminal = await runNaps(30)
  const lines = statusLines(terminal.shown)
  expect(lines.length).toBeGreaterThan(0)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(30)
})

it('ends the pool on Ctrl-C, typed twice for one that ignores SIGTERM', async () => {
  const terminal = new RealTerminal(workspace, ['pool', 'Stubborn'])
  await terminal.untilShown('4 of 5 done')
  terminal.type(controlC)
  await terminal.untilShown(/still alive: PoolWorker-\d+, pid=\d+/)
  terminal.type(controlC)
  expect(await terminal.ended).toBe(1)
  expect(terminal.shown).toContain('killing the pool')
})

it('leaves the pool running when its window is closed', async () => {
  const terminal = new RealTerminal(workspace, ['pool', 'Stuck'])
  await terminal.untilShown('stuck (no-progress)')
  terminal.close()
  expect(await terminal.ended).toBe(128 + 1)
  const [pool] = await workspace.pools()
  expect(pool?.counts).toMatchObject({ done: 10, running: 2 })
  expect(await lives(pool!.workers[0]!.pid)).toBe(true)
})
