import { describe, expect, it } from 'vitest'
import { resolveTarget } from '../../../src/cli/ending/targets'
import { wholeProgramNote } from '../../../src/cli/ending/wholeProgram'
import { TargetError } from '../../../src/cli/errors'
import { pool, programPool, task, watchedPool, worker } from './snapshotBuilders'

function failureOf(text: string, pools: Parameters<typeof resolveTarget>[1]): TargetError {
  try {
    resolveTarget(text, pools)
  } catch (error) {
    if (error instanceof TargetError) return error
  }
  throw new Error('it resolved')
}

describe('POOL|PID', () => {
  it('is a pool by its id', () => {
    expect(resolveTarget('pool-3fa9c1', [pool()])).toMatchObject({ target: { kind: 'pool', poolId: 'pool-3fa9c1' } })
  })
  it('is a pool by its name', () => {
    expect(resolveTarget('Stuck', [pool()])).toMatchObject({ target: { kind: 'pool', poolId: 'pool-3fa9c1' } })
  })
  it('is one worker by its pid', () => {
    expect(resolveTarget('4211', [pool()])).toMatchObject({
      target: { kind: 'worker', poolId: 'pool-3fa9c1', pid: 4211 },
    })
  })
  it('is the pool that lives when an older one had the same name', () => {
    const pools = [pool({ id: 'pool-old', state: 'ended' }), pool({ id: 'pool-new' })]
    expect(resolveTarget('Stuck', pools)).toMatchObject({ target: { poolId: 'pool-new' } })
  })
  it('lists the ids when two live pools have the name', () => {
    const error = failureOf('Stuck', [pool({ id: 'pool-1' }), pool({ id: 'pool-2' })])
    expect(error.details.join('\n')).toMatch(/pool-1 .*\n.*pool-2 /)
  })
  it('says so when it is a name and a pid, and how to mean either', () => {
    const pools = [pool(), pool({ id: 'pool-n', name: '4211', workers: [] })]
    const error = failureOf('4211', pools)
    expect(error.details.join('\n')).toContain('pool-n ')
    expect(error.details.join('\n')).toContain('pid:4211 ')
    expect(resolveTarget('pid:4211', pools)).toMatchObject({ target: { kind: 'worker', pid: 4211 } })
  })
  it('is known where nobody watches it any more, with how to look at it', () => {
    for (const text of ['crawl.py', '4800', 'pid:4800']) {
      expect(() => resolveTarget(text, [pool()], [{ name: 'crawl.py', pid: 4800 }])).toThrow(
        'crawl.py (pid 4800) runs on, unwatched since the host ended: unhang attach 4800',
      )
    }
  })
  it('names what exists when nothing matches', () => {
    const error = failureOf('Stuk', [pool({ workers: [worker({ status: 'busy', task: task() })] })])
    expect(error.message).toContain('Stuk')
    expect(error.details).toEqual(['What runs here:', 'pool-3fa9c1  Stuck', '  4211  PoolWorker-1 in crawl(login)'])
  })
  it("does not take the pid of an exited worker, which may be somebody else's by now", () => {
    expect(failureOf('4211', [pool({ workers: [worker({ status: 'exited' })] })])).toBeInstanceOf(TargetError)
  })
  it.each(['-1', '0', '1.5', '', '4211x', 'pid:', ' 4211'])('does not take %j for a pid', (text) => {
    expect(failureOf(text, [pool({ workers: [worker({ pid: -1 }), worker({ pid: 0 })] })])).toBeInstanceOf(TargetError)
  })
  it('is a program by its name or its pid', () => {
    expect(resolveTarget('train.py', [programPool(), watchedPool()])).toMatchObject({
      target: { kind: 'pool', poolId: 'program-1' },
      description: 'program train.py (program-1, pid 4700)',
    })
    expect(
      resolveTarget('4700', [programPool({ workers: [worker({ name: 'MainProcess', pid: 4700 })] }), watchedPool()]),
    ).toMatchObject({ target: { kind: 'pool', poolId: 'program-1' } })
  })
  it('finds nothing to do in a pool that has ended', () => {
    expect(resolveTarget('Stuck', [pool({ state: 'ended' })])).toMatchObject({ kind: 'ended' })
    expect(resolveTarget('pool-3fa9c1', [pool({ state: 'ended' })])).toMatchObject({ kind: 'ended' })
  })
})

describe('A pid that is also listed below an attached shell', () => {
  const shell = programPool(
    {
      id: 'program-2',
      name: 'bash',
      kind: 'attached',
      workers: [
        worker({ pid: 4600 }),
        worker({ name: 'train.py-4700', pid: 4700 }),
        worker({ name: 'forked worker-4712', pid: 4712 }),
      ],
    },
    { pid: 4600 },
  )
  const pools = [shell, programPool(), watchedPool()]
  it('is the program that it is, and the worker of the pool that knows it', () => {
    expect(resolveTarget('4700', pools)).toMatchObject({ target: { kind: 'pool', poolId: 'program-1' } })
    expect(resolveTarget('4712', pools)).toMatchObject({ target: { kind: 'worker', poolId: 'watched-1', pid: 4712 } })
    expect(resolveTarget('4600', pools)).toMatchObject({ target: { kind: 'pool', poolId: 'program-2' } })
    expect(resolveTarget('4712', [shell])).toMatchObject({ target: { kind: 'worker', poolId: 'program-2', pid: 4712 } })
  })
})

describe('A pool inside a program', () => {
  const two = [
    programPool(),
    watchedPool(),
    watchedPool({ id: 'watched-2', name: 'train.py:50' }),
    watchedPool({ id: 'watched-3', state: 'ended' }),
    pool(),
  ]
  it('ends with its program, and the others in it, which is said before', () => {
    expect(wholeProgramNote('watched-1', two)).toBe(
      'train.py:42 is a pool of train.py: the program ends, with its 2 pools',
    )
    expect(wholeProgramNote('watched-1', two.slice(0, 2))).toBe(
      'train.py:42 is a pool of train.py: the program ends, with it',
    )
  })
  it('is none where the program was meant, or there is none', () => {
    expect(wholeProgramNote('program-1', two)).toBeUndefined()
    expect(wholeProgramNote('pool-3fa9c1', two)).toBeUndefined()
  })
})
