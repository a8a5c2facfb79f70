import { describe, expect, it } from 'vitest'
import { choosePythons, type PythonChoice } from '../../integration/runtimes/pythonChoice'

const found = (...versions: string[]) => versions.map((version) => ({ version, path: `/bin/python${version}` }))
const run = (pythons: PythonChoice['every']) =>
  pythons.filter(({ missing }) => missing === undefined).map(({ version }) => version)
const skipped = (pythons: PythonChoice['every']) => pythons.flatMap(({ missing }) => missing ?? [])

describe('the Pythons of the tests', () => {
  it('are each one that is installed, in the order of their versions', () => {
    const { every, oldestAndNewest, newest } = choosePythons(found('3.13', '3.8', '3.11', '3.9', '3.12', '3.10'))
    expect(run(every)).toEqual(['3.8', '3.9', '3.10', '3.11', '3.12', '3.13'])
    expect(run(oldestAndNewest)).toEqual(['3.8', '3.13'])
    expect(newest.path).toBe('/bin/python3.13')
    expect([...skipped(every), ...skipped(oldestAndNewest)]).toEqual([])
  })

  it.each(['3.12', '3.9'])('are %s alone where there is no other, and the others are named', (version) => {
    const { every, oldestAndNewest, newest } = choosePythons(found(version))
    expect(run(every)).toEqual([version])
    expect(skipped(every)).toHaveLength(5)
    expect(skipped(every)).toContain('no Python 3.10 was found')
    expect(run(oldestAndNewest)).toEqual([version])
    expect(skipped(oldestAndNewest)).toEqual([`only Python ${version} was found`])
    expect(newest.version).toBe(version)
  })

  it('are placeholders that name the reason where there is none, so that no matrix is empty', () => {
    for (const { every, oldestAndNewest, newest } of [choosePythons([]), choosePythons(found('2.7', '3.7'))]) {
      expect(run([...every, ...oldestAndNewest, newest])).toEqual([])
      for (const pythons of [every, oldestAndNewest, [newest]])
        expect(skipped(pythons)).toEqual(['no Python from 3.8 on was found'])
    }
  })

  it('are the newest one alone in a quick run, and nothing is called missing', () => {
    const { every, oldestAndNewest, newest } = choosePythons(found('3.8', '3.13', '3.9'), 'newest')
    for (const pythons of [every, oldestAndNewest, [newest]]) expect(pythons).toEqual(found('3.13'))
  })

  it('may be newer than those we know', () => {
    const { every, newest } = choosePythons(found('3.15', '3.8'))
    expect(newest.version).toBe('3.15')
    expect(run(every)).toEqual(['3.8', '3.15'])
  })
})
