// Imported first by every entry script, and itself free of newer syntax, so that an old Node stops here with a sentence
// instead of a syntax error somewhere else.

const parts = process.versions.node.split('.').map(Number)
const major = parts[0] || 0
const minor = parts[1] || 0

// 20.19 is the first Node 20 that can require() ES modules, which the build tools count on.
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    'Unhang needs Node 20.19 or newer, and this is Node ' + process.versions.node + ' (' + process.execPath + ').',
  )
  console.error('Install a newer Node (https://nodejs.org, or "nvm install 22") and run the same command again.')
  process.exit(1)
}
