import { basename } from 'node:path'

/** Options of the interpreter that keep the observer out, and what they do to it. */
const reasons: readonly (readonly [letter: string, why: string])[] = [
  ['I', 'does not read PYTHONPATH, by which the observer enters'],
  ['E', 'does not read PYTHONPATH, by which the observer enters'],
  ['S', 'does not run sitecustomize, by which the observer enters'],
]
/** After these the rest of the word, or the next one, is no option. */
const takesValue = new Set(['c', 'm', 'W', 'X'])

/** Why no observer can be inside of a Python that is started like this; undefined where one can. */
export function keepsObserverOut(argv: readonly string[]): string | undefined {
  const [program = '', ...words] = argv
  if (!/^python[\d.]*$/.test(basename(program))) return undefined
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (!/^-[A-Za-z]/.test(word)) return undefined
    for (const [at, letter] of Array.from(word.slice(1)).entries()) {
      const found = reasons.find(([option]) => option === letter)
      if (found !== undefined) return `started with -${letter}, this Python ${found[1]}`
      if (!takesValue.has(letter)) continue
      if (letter === 'c' || letter === 'm') return undefined
      if (at === word.length - 2) index += 1
      break
    }
  }
  return undefined
}
