import { baseName } from './baseName'

/**
 * The letters are CPython's suffixes: `t` has no GIL, `d` and `-dbg` are debug builds (`_d` on Windows), `m` stood in
 * the names up to 3.7, `w` has no console, `-intel64` is macOS's. PyPy has them as well, or none.
 */
const pythonName = /^(?:python|pypy)w?[\d.]*(?:[tdmw]{0,2}|_d|-dbg|-intel64)$/i
const nodeName = /^node(?:js)?(?:-?v?\d[\d.]*)?$/i

/** Which interpreter a program file is, by its name alone; undefined for any other program. */
export function interpreterKind(program: string): 'python' | 'node' | undefined {
  const name = baseName(program).replace(/\.exe$/i, '')
  if (pythonName.test(name)) return 'python'
  return nodeName.test(name) ? 'node' : undefined
}
