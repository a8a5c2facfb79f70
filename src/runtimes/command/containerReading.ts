import { nothing, type CodeReading, type ReadCode, type Word } from './codeWords'

/** Programs that start a command in a container. */
export const containers: ReadonlySet<string> = new Set(['docker', 'podman', 'nerdctl', 'kubectl', 'oc'])

/** `docker exec NAME command`, `docker run IMAGE command`, `kubectl exec NAME -- command`. */
export function containerReading(words: readonly Word[], reader: number, read: ReadCode): CodeReading {
  const verb = words.findIndex(({ text }, index) => index > reader && /^(?:exec|run)$/.test(text))
  if (verb < 0) return nothing
  const dashes = words.findIndex(({ text }, index) => index > verb && text === '--')
  if (dashes >= 0) return read(words, dashes + 1)
  let at = verb + 1
  for (; words[at]?.text.startsWith('-') === true; at++) {
    const text = words[at]?.text ?? ''
    const alone = text.includes('=') || /^-[dithPq]+$/.test(text) || containerSwitches.has(text)
    if (!alone) at++
  }
  return read(words, at + 1)
}

const containerSwitches = new Set([
  '--detach',
  '--init',
  '--interactive',
  '--privileged',
  '--publish-all',
  '--quiet',
  '--read-only',
  '--rm',
  '--stdin',
  '--tty',
])
