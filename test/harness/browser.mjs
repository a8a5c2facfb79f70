import { chromium } from 'playwright-core'
import { chromiumArguments, ensureChromium } from './chromium.mjs'

/** Large enough for sidebar, editor and terminal; what the screenshots of the README are made with. */
const windowSize = { width: 1400, height: 900 }

/**
 * Starts Chromium without a window. A context of it is like a fresh profile: it shares nothing with another one.
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function startBrowser() {
  return chromium.launch({ executablePath: await ensureChromium(), args: chromiumArguments, headless: true })
}

/**
 * A fresh profile.
 * @param {import('playwright-core').Browser} browser
 * @param {{ theme?: 'dark' | 'light' }} [options] what the system would say it prefers
 */
export async function newProfile(browser, options = {}) {
  return browser.newContext({
    viewport: windowSize,
    colorScheme: options.theme ?? 'dark',
    deviceScaleFactor: 1,
    permissions: ['clipboard-read', 'clipboard-write'],
  })
}
