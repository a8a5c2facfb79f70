// `npm run icons`: draws media/icon.png (256 × 256, what the Marketplace shows) from media/icon.svg.
// Needs rsvg-convert (Debian package librsvg2-bin). Run by hand after a change; the PNG is committed.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const media = fileURLToPath(new URL('../../media', import.meta.url))
execFileSync(
  'rsvg-convert',
  ['--width', '256', '--height', '256', '--output', `${media}/icon.png`, `${media}/icon.svg`],
  { stdio: 'inherit' },
)
