import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describePythons, everyPython } from '../pythons'
import { fixtures, observerPath } from './watchedProgram'

describePythons(everyPython, 'what joblib hands to a pool, Python $version', ({ path }) => {
  it('is labelled by what the program called', () => {
    const said = execFileSync(path, [join(fixtures, 'joblib_labels.py'), observerPath], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
    const twice = (line: string): string[] => [line, line]
    expect(said.filter((line) => /^(safe|capturing|several|no batch)\|/.test(line))).toEqual([
      ...twice("safe|run(7, key='x')|run|1"),
      ...twice("capturing|run(7, key='x')|run|1"),
      ...twice('several|run × 2|run|2'),
      ...twice('no batch|<MemorizedFunc>()|<MemorizedFunc>|1'),
    ])
    expect(said).toContain('hidden|run(…)')
    expect(said).toContain('arrays|run(<ndarray>, <ndarray>, <ndarray>)|run|1')
    expect(said.filter((line) => /^(odd|of nothing)\|/.test(line))).toEqual([
      ...twice('odd|<SafeFunction>()|<SafeFunction>|1'),
      ...twice('of nothing|<SafeFunction>()|<SafeFunction>|1'),
    ])
    // However deep a pickle is in another, nobody gets lost in it.
    expect(said).toContain('nested|<loads>')
  })
})
