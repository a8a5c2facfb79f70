import { basename } from 'node:path'

/** Options of the interpreter that keep the observer out, and what they do to it. */
const reasons: readonly (readonly [letter: string, why: string])[] = [
  ['I', 'does not read PYTHONPATH, by which the observer enters'],
  ['E', 'does not read PYTHONPATH, by which the observer enters'],
  ['S', 'does not run sitecustomize, by which the observer enters'],
]
/** After these the rest of the word, or the next one, is no option. */
const takesValue = new Set(['c', 'm', 'W', 'X'])

/** Why no observer can be inside of a Python that is started like this, and what to do; undefined where one can. */
export function keepsObserverOut(argv: readonly string[]): string | undefined {
  const letters = optionLetters(argv)
  const found = reasons.filter(([letter]) => letters.includes(letter))
  const [first] = found
  if (first === undefined) return undefined
  const [letter, why] = first
  return (
    `started with -${letter}, this Python ${why}; start it without ` + found.map(([each]) => `-${each}`).join(' and ')
  )
}

/** The letters of the options of a Python, as it reads them; none of anything else. */
function optionLetters(argv: readonly string[]): string[] {
  const [program = '', ...words] = argv
  const letters: string[] = []
  if (!/^python[\d.]*$/.test(basename(program))) return letters
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (!/^-[A-Za-z]/.test(word)) return letters
    for (const [at, letter] of Array.from(word.slice(1)).entries()) {
      letters.push(letter)
      if (!takesValue.has(letter)) continue
      if (letter === 'c' || letter === 'm') return letters
      if (at === word.length - 2) index += 1
      break
    }
  }
  return letters
}
