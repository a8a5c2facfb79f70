import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Session } from './session'

describe('the extension in VS Code', () => {
  let session: Session
  beforeAll(async () => {
    session = await Session.start('dark')
  })
  afterAll(async () => {
    await session.stop()
  })

  test('has a tab in the activity bar, and its views open', async () => {
    const pools = await session.workbench.openPools()
    await session.workbench.screenshot('views')
    expect(await pools.pane.isVisible()).toBe(true)
  })
})
