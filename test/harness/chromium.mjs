import { existsSync } from 'node:fs'
import { canInstallPackages, findOnPath, installPackages } from './debianPackages.mjs'

/** No browser that the UI tests could drive. */
export class ChromiumMissingError extends Error {
  constructor() {
    super(
      'The tests drive VS Code in Chromium, and none was found (looked at CHROME_PATH, /usr/bin/chromium, ' +
        'and chromium, ' +
        'chromium-browser, google-chrome on PATH). Install one ("sudo apt-get install chromium", "brew install ' +
        '--cask chromium") ' +
        'or set CHROME_PATH to its program.',
    )
    this.name = 'ChromiumMissingError'
  }
}

/** @returns {string | undefined} the browser's program */
export function findChromium() {
  const named = process.env.CHROME_PATH
  if (named) return existsSync(named) ? named : undefined
  const candidates = [
    '/usr/bin/chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ]
  return (
    candidates.find((file) => existsSync(file)) ??
    ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
      .map(findOnPath)
      .find((file) => file !== undefined)
  )
}

/**
 * The Chromium to test with; installs Debian's where that is possible without asking.
 * @returns {Promise<string>}
 * @throws {ChromiumMissingError}
 */
export async function ensureChromium() {
  const found = findChromium()
  if (found) return found
  if (process.env.CHROME_PATH || !canInstallPackages()) throw new ChromiumMissingError()
  // A text font and one with symbols, or screenshots show boxes where letters should be.
  await installPackages(['chromium', 'fonts-dejavu-core', 'fonts-liberation'])
  const installed = findChromium()
  if (!installed) throw new ChromiumMissingError()
  return installed
}

/** Arguments that let Chromium run as root, without a graphics card, and without calling home. */
export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
