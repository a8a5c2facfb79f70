import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isAlive, pidOf } from './processes'
import { Session } from './session'

const soon = { timeout: 60_000, interval: 200 }

// One story, in order: each test goes on where the one before it ended.
describe('A pool with a worker that ignores SIGTERM', () => {
  let session: Session
  let pid: number
  const see = () => session.workbench.pools.rows()
  const pool = async () => (await see()).find((row) => row.level === 1 && row.label === 'Stubborn')

  beforeAll(async () => {
    session = await Session.start('dark')
  })
  afterEach(({ task }) => session.pictureOfFailure(task))
  afterAll(async () => {
    await session.stop()
  })

  test('is launched from the lens above its task in tasks.json', async () => {
    const { workbench } = session
    await workbench.openPools()
    await workbench.openFile('tasks.json')
    const lenses = workbench.codeLenses().filter({ hasText: 'Launch' })
    await expect.poll(() => lenses.count(), soon).toBe(4)
    await lenses
      .nth(2)
      .getByRole('button', { name: /Launch/ })
      .click()
    await expect.poll(pool, soon).toBeDefined()
    await workbench.pools.expand('Stubborn')
    await expect
      .poll(see, soon)
      .toContainEqual(
        expect.objectContaining({ level: 2, description: expect.stringMatching(/^pid \d+ · stuck .*south/) as string }),
      )
    pid = pidOf((await see()).find((row) => /stuck .*south/.test(row.description)))
    await workbench.screenshot('stubborn-1-lens')
  })

  test('is named, with its pid, when Terminate could not end it', async () => {
    const { workbench } = session
    await workbench.palette.run('Pools: Terminate Pool')
    await expect
      .poll(
        () =>
          workbench
            .notifications()
            .filter({ hasText: new RegExp(`still alive.*${pid}`) })
            .count(),
        soon,
      )
      .toBeGreaterThan(0)
    expect(isAlive(pid)).toBe(true)
    await workbench.screenshot('stubborn-2-issue')
  })

  test('ends with Kill', async () => {
    const { workbench } = session
    await workbench.palette.run('Pools: Kill Pool (SIGKILL)')
    await expect.poll(() => isAlive(pid), soon).toBe(false)
    await expect.poll(async () => (await pool())?.description, soon).toContain('ended')
    await workbench.screenshot('stubborn-3-killed')
  })
})
