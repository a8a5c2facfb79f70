import { spawn } from 'node:child_process'
import { findOnPath } from './debianPackages.mjs'

/**
 * Opens an address in the user's browser where there is a desktop; elsewhere nothing happens.
 * @param {string} url
 */
export function openInBrowser(url) {
  const opener =
    process.platform === 'darwin' ? 'open' : process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? 'xdg-open' : undefined
  if (opener === undefined || process.env.CI || findOnPath(opener) === undefined) return
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true })
  // The address is printed anyway.
  child.on('error', () => undefined)
  child.unref()
}
