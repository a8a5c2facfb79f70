import { operandIndex } from '../../processes'
import { everyArgument, notPlain, nothing, programName, textsOf, type CodeReading, type Word } from './codeWords'
import { containerReading, containers } from './containerReading'
import { interpreterReading, interpreters } from './interpreters'
import { launcherReading } from './launcherReading'
import { builtinReading, shellReading, shells, trapReading } from './shellReading'

/**
 * Which arguments a program reads as code: those of interpreters (`sh -c`, `python -c`, `node -e`, `eval`, `ssh host
 * …`), also behind programs that start another one (`env`, `sudo`, `timeout`, `xargs`, `find -exec`, `docker exec`). A
 * program that is not known reads none.
 */
export function codeReading(words: readonly Word[], at = 0): CodeReading {
  const name = programName(words[at]?.text)
  if (name === undefined) return nothing
  if (shells.has(name)) return shellReading(words, at)
  if (name === 'eval') return everyArgument(words, at, 'eval', at + 1)
  if (name === 'trap') return trapReading(words, at)
  const builtin = builtinReading(words, at, name)
  if (builtin !== undefined) return builtin
  if (name === 'ssh') {
    const host = operandIndex(textsOf(words), at, { valued: 'BbcDEeFIiJLlmOopQRSWw' })
    return everyArgument(words, at, 'joined', host + 1)
  }
  if (name === 'watch') return watchReading(words, at)
  if (name === 'find') return findReading(words, at)
  const interpreter = interpreters.get(name)
  if (interpreter !== undefined) return interpreterReading(words, at, interpreter)
  if (containers.has(name)) return containerReading(words, at, codeReading)
  return launcherReading(words, at, name, codeReading) ?? nothing
}

/** `watch` hands its arguments to a shell, joined, unless it is told to start them itself. */
function watchReading(words: readonly Word[], reader: number): CodeReading {
  const first = operandIndex(textsOf(words), reader, { valued: 'nq', valuedLong: ['interval', 'equexit'] })
  const itself = words.slice(reader + 1, first).some(({ text }) => text === '--exec' || /^-[A-Za-z]*x/.test(text))
  return itself ? codeReading(words, first) : everyArgument(words, reader, 'joined', first)
}

function findReading(words: readonly Word[], reader: number): CodeReading {
  const starts = words.flatMap(({ text }, index) =>
    index > reader && /^-(?:exec|execdir|ok|okdir)$/.test(text) ? [index + 1] : [],
  )
  return { arguments: starts.flatMap((start) => codeReading(words, start).arguments.map(notPlain)), input: undefined }
}
