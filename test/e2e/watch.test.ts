import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isAlive, pidOf } from './processes'
import { Session, type Theme } from './session'

/** The verdict comes within seconds; the rest is what a loaded machine may take to start processes and draw rows. */
const soon = { timeout: 60_000, interval: 200 }

// One story: a program of the user's own hangs, says why, is rescued, and goes on.
describe.each<Theme>(['dark', 'light'])('A user with a Python program that hangs, in the %s theme', (theme) => {
  let session: Session
  const see = () => session.workbench.pools.rows()
  const row = async (words: string | RegExp) =>
    (await see()).find(({ label, description }) => new RegExp(words).test(`${label} ${description}`))
  const picture = (name: string) => session.workbench.screenshot(`watch-${theme}-${name}`)
  const terminal = () => session.workbench.terminalText()
  let programPid: number

  beforeAll(async () => {
    session = await Session.start(theme)
  })
  afterEach(({ task }) => session.pictureOfFailure(task))
  afterAll(async () => {
    await session.stop()
  })

  test('runs it under watch, and sees the pool inside it', async () => {
    const { workbench } = session
    await workbench.openPools()
    await workbench.widenSidebar(520)
    await workbench.openFile('train.py')
    await workbench.palette.run('Pools: Run Program Under Watch…')
    await workbench.palette.choose('python3 train.py')
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 1,
        label: 'train.py',
        description: expect.stringMatching(/pid \d+ · python 3\.\d+\.\d+ · 1 pool/) as string,
      }),
    )
    programPid = pidOf(await row(/^train\.py pid/))
    expect(isAlive(programPid)).toBe(true)
    await expect
      .poll(see, soon)
      .toContainEqual(expect.objectContaining({ level: 2, label: expect.stringMatching(/^train\.py:\d+$/) as string }))
  })

  test('reads in one line why it hangs: row, badge and notification', async () => {
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 2,
        description: expect.stringContaining('stuck: lost task train(5)') as string,
      }),
    )
    await expect.poll(() => session.workbench.badge(), soon).toBe('1')
    const notification = session.workbench.notifications().filter({ hasText: 'train(5)' })
    await expect.poll(() => notification.count(), soon).toBe(1)
    await expect
      .poll(() => notification.getByRole('button').allTextContents(), soon)
      .toEqual(expect.arrayContaining(['Rescue…', 'Show']))
    await picture('1-stuck')
  })

  test('sees the worker that took the task with it, under Exited', async () => {
    const { pools } = session.workbench
    await pools.expand(/train\.py:\d+/)
    await pools.expand('Exited')
    await expect.poll(see, soon).toContainEqual(expect.objectContaining({ description: 'exit 1 · train(5) lost' }))
  })

  test('reads summary, evidence and advice in the hover', async () => {
    const { page, pools } = session.workbench
    await expect
      .poll(async () => {
        await page.mouse.move(page.viewportSize()?.width ?? 0, 0)
        await pools
          .row(/train\.py:\d+/)
          .first()
          .hover()
        await page.waitForTimeout(1_500)
        return (await page.locator('.monaco-hover').allTextContents()).join('\n')
      }, soon)
      .toMatch(/Stuck: lost task[^]*train\(5\) was lost when \S+ \(pid \d+\) exited with code 1[^]*Rescue/)
    await picture('2-hover')
    await page.mouse.move(page.viewportSize()?.width ?? 0, 0)
  })

  test('looks at the stack of the program, and goes to its line', async () => {
    const { workbench } = session
    const program = workbench.pools.row(/^\s*train\.py\s*pid/).first()
    await workbench.pools.clickInline(program, 'Show Stack')
    await expect
      .poll(() => workbench.editorText(), soon)
      .toMatch(/Thread MainThread[^]*train\.py", line \d+, in <module>/)
    await picture('3-stack')
    const [, line = ''] = /train\.py", line (\d+), in <module>/.exec(await workbench.editorText()) ?? []
    // By its place: VS Code draws a line of text as pieces with hard spaces.
    const lines = workbench.page.locator('.editor-instance .view-line')
    const at = (await lines.allTextContents()).findIndex((text) =>
      text.includes('train.py", line'.replaceAll(' ', '\u00a0')),
    )
    await lines.nth(at).click({ modifiers: ['Control'], position: { x: 200, y: 8 } })
    await expect
      .poll(() => workbench.page.locator('.statusbar-item', { hasText: /^Ln / }).textContent(), soon)
      .toContain(`Ln ${line},`)
    await expect.poll(() => workbench.editorText(), soon).toContain('scores = pool.map(train')
  })

  test('rescues it by the button on its row, after one question', async () => {
    const { workbench } = session
    await workbench.pools.clickInline(workbench.pools.row(/train\.py:\d+/).first(), 'Rescue Pool')
    await workbench.palette.widget.waitFor()
    await picture('4-rescue')
    await workbench.palette.choose('Run the task again')
    await expect
      .poll(() => workbench.dialog().textContent(), soon)
      .toMatch(/Rescue train\.py:\d+\?[^]*Run task 5 train\(5\) again/)
    await picture('5-question')
    await workbench.answerDialog('Rescue')
  })

  test('reads in the program’s own output that it went on to its end', async () => {
    await expect.poll(terminal, soon).toMatch(/fold 5: trained/)
    await expect.poll(terminal, soon).toMatch(/all folds trained, the best is fold 3 \(0\.90\)/)
    await expect.poll(() => isAlive(programPid), soon).toBe(false)
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 1,
        label: 'train.py',
        description: expect.stringMatching(/^exit 0/) as string,
      }),
    )
    await expect.poll(() => session.workbench.badge(), soon).toBe('')
    await picture('6-went-on')
  })

  test('runs the same as a task of tasks.json, and kills it by the button on its row', async () => {
    const { workbench } = session
    await workbench.tasks.run('Train')
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 2,
        description: expect.stringContaining('stuck: lost task train(5)') as string,
      }),
    )
    const pid = pidOf(await row(/^Train pid/))
    expect(isAlive(pid)).toBe(true)
    await workbench.pools.clickInline(workbench.pools.row(/^\s*Train\s*pid/).first(), 'Kill Pool')
    await workbench.answerDialog('Kill')
    await expect.poll(() => isAlive(pid), soon).toBe(false)
    await expect.poll(see, soon).toContainEqual(
      expect.objectContaining({
        level: 1,
        label: 'Train',
        description: expect.stringMatching(/^exit -9 \(SIGKILL\)/) as string,
      }),
    )
    await picture('7-killed')
  })
})
