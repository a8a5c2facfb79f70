import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isAlive, pidOf } from './processes'
import { Session, type Theme } from './session'

/** Stuck is flagged after 3 s; the rest is what a loaded machine may take to start processes and draw rows. */
const soon = { timeout: 60_000, interval: 200 }

// One story, in the order in which a user would live it: each test goes on where the one before it ended.
describe.each<Theme>(['dark', 'light'])('A user with the demo, in the %s theme', (theme) => {
  let session: Session
  const see = () => session.workbench.pools.rows()
  const poolRow = async () => (await see()).find((row) => row.level === 1)?.description
  const picture = (name: string) => session.workbench.screenshot(`${theme}-${name}`)
  const worker = async (words: string | RegExp) =>
    (await see()).find((row) => row.level === 2 && new RegExp(words).test(row.description))
  /** Rows are drawn anew all the time: one look may miss it. */
  const pidOfWorker = async (words: string): Promise<number> => {
    let pid = Number.NaN
    await expect
      .poll(async () => {
        pid = pidOf(await worker(words))
        return pid
      }, soon)
      .toBeGreaterThan(1)
    return pid
  }
  let slowPid: number

  beforeAll(async () => {
    session = await Session.start(theme)
  })
  afterEach(({ task }) => session.pictureOfFailure(task))
  afterAll(async () => {
    await session.stop()
  })

  test('opens the Unhang views and is told how to begin', async () => {
    const pools = await session.workbench.openPools()
    await session.workbench.widenSidebar(480)
    await expect.poll(() => pools.pane.textContent(), soon).toContain('No pool is running.')
    await expect
      .poll(() => pools.pane.locator('.monaco-button').filter({ hasText: 'Launch Pool Task' }).count(), soon)
      .toBe(1)
    await picture('1-empty')
  })

  test('runs Stuck from the task picker and sees its workers', async () => {
    await session.workbench.tasks.run('Stuck')
    await expect.poll(see, soon).toContainEqual(expect.objectContaining({ level: 1, label: 'Stuck' }))
    await session.workbench.pools.expand('Stuck')
    await expect.poll(async () => (await see()).filter((row) => /pid \d+/.test(row.description)).length, soon).toBe(4)
  })

  test('is shown what is stuck: badge, pool row and worker row', async () => {
    await expect.poll(() => session.workbench.badge(), soon).toBe('1')
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 1,
        label: 'Stuck',
        description: expect.stringContaining('1 stuck') as string,
      }),
    )
    const stuck = await worker('stuck .*crawl\\(login\\)')
    expect(stuck?.spoken).toMatch(/stuck/)
    expect(isAlive(pidOf(stuck))).toBe(true)
  })

  test('is told by a notification, with what can be done about it', async () => {
    const notification = session.workbench.notifications().filter({ hasText: 'crawl(login)' })
    await expect.poll(() => notification.count(), soon).toBe(1)
    await expect
      .poll(() => notification.getByRole('button').allTextContents(), soon)
      .toEqual(expect.arrayContaining(['Show', 'Terminate', 'Kill']))
  })

  test.runIf(theme === 'dark')('reads why it is stuck in its hover', async () => {
    const { page, pools } = session.workbench
    await expect
      .poll(async () => {
        await page.mouse.move(page.viewportSize()?.width ?? 0, 0)
        await pools.row('crawl(login)').first().hover()
        await page.waitForTimeout(1_500)
        return (await page.locator('.monaco-hover').allTextContents()).join('\n')
      }, soon)
      .toContain('Stuck: ')
    await picture('2-hover')
    await page.mouse.move(page.viewportSize()?.width ?? 0, 0)
  })

  test('can tell the slow worker from the stuck one', async () => {
    await expect.poll(() => worker('slow .*crawl\\(blog\\)'), soon).toBeDefined()
    slowPid = await pidOfWorker('slow .*crawl\\(blog\\)')
    expect(isAlive(slowPid)).toBe(true)
  })

  test('reads the reason below the worker, and the counts above the task in tasks.json', async () => {
    const { workbench } = session
    await workbench.pools.expand('crawl(login)')
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 3,
        label: 'crawl(login)',
        description: expect.stringMatching(/stuck · no progress/) as string,
      }),
    )
    await expect.poll(poolRow, soon).toContain('2 busy · 1 stuck · 10 of 12 done')
    await workbench.openFile('tasks.json')
    await expect
      .poll(() => workbench.codeLenses().filter({ hasText: '2 busy · 1 stuck · 10 of 12' }).count(), soon)
      .toBe(1)
    await picture('2-stuck')
  })

  test('terminates the stuck worker by the button on its row', async () => {
    const { pools } = session.workbench
    const pid = await pidOfWorker('stuck .*crawl\\(login\\)')
    await pools.clickInline(pools.row('crawl(login)').first(), 'Terminate Worker')
    // The lens is to follow (see the next test) also when the editor was not listening in the moment that it changed.
    await session.workbench.switchFocusFor(3_000)
    await expect.poll(() => isAlive(pid), soon).toBe(false)
    await expect.poll(() => session.workbench.badge(), soon).toBe('')
  })

  test('reads the exit code and the lost task under Exited', async () => {
    await session.workbench.pools.expand('Exited')
    // It may end by itself once its channel is closed (the first pass), or by the SIGTERM of the second.
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        description: expect.stringMatching(/^exit (0|-15 \(SIGTERM\)) · .*login.* lost/) as string,
      }),
    )
    await expect.poll(poolRow, soon).toContain('1 busy · 10 of 12 done · 1 lost')
    await expect.poll(() => session.workbench.codeLenses().filter({ hasText: 'stuck' }).count(), soon).toBe(0)
    await picture('3-terminated')
  })

  test('reloads the window and finds the pool as it was', async () => {
    await session.workbench.reload()
    await session.workbench.openPools()
    await expect.poll(see, soon).toContainEqual(expect.objectContaining({ level: 1, label: 'Stuck' }))
    await session.workbench.pools.expand('Stuck')
    await expect.poll(async () => pidOf(await worker('slow .*crawl\\(blog\\)')), soon).toBe(slowPid)
    expect(isAlive(slowPid)).toBe(true)
    await picture('4-reloaded')
  })

  test('kills the pool from the palette, after one question', async () => {
    const { workbench } = session
    await workbench.palette.run('Pools: Kill Pool (SIGKILL)')
    await workbench.answerDialog('Kill')
    await expect.poll(() => isAlive(slowPid), soon).toBe(false)
    await expect
      .poll(see, soon)
      .toContainEqual(
        expect.objectContaining({ level: 1, label: 'Stuck', description: expect.stringContaining('ended') as string }),
      )
  })

  test('reads how every worker ended', async () => {
    await session.workbench.pools.expand('Stuck')
    await session.workbench.pools.expand('Exited')
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        description: expect.stringMatching(/^exit -9 \(SIGKILL\) · .*blog.* lost/) as string,
      }),
    )
    await picture('5-killed')
  })
})
