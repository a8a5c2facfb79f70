import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { DefinitionError, errorText } from '../../../src/cli/errors'
import { definitionHint } from '../../../src/cli/pool/definitionHint'
import { failuresTable } from '../../../src/cli/pool/failuresTable'
import { Interrupts, type Interrupt, type InterruptStep } from '../../../src/cli/pool/interrupts'
import { launchError } from '../../../src/cli/pool/launchProblems'
import { poolOutcome } from '../../../src/cli/pool/outcome'
import { PlainProgress, progressLine } from '../../../src/cli/pool/progress'
import { StuckNotes } from '../../../src/cli/pool/stuckNotes'
import { HostRequestError } from '../../../src/discovery'
import { counts, failure, noProgress, pool, slow, task, worker, programPool } from './snapshotBuilders'

describe('the progress line', () => {
  const progress = {
    name: 'Word count',
    counts: counts({ done: 57, running: 4, queued: 71 }),
    elapsedMs: 12_400,
    etaMs: 8100,
  }

  it('says what is done, how long it took and how long it may take', () => {
    expect(progressLine(progress)).toBe('Word count: 57 of 132 done, 4 running, 71 queued · 12 s, about 8 s left')
  })
  it('claims nothing while the host cannot estimate', () => {
    expect(progressLine({ ...progress, etaMs: null })).not.toContain('left')
  })
  it('fits into the terminal with a column to spare', () => {
    expect(progressLine(progress, 30)).toHaveLength(29)
    expect(progressLine(progress, 30).endsWith('…')).toBe(true)
  })
})

describe('plain progress', () => {
  it('comes now and then, when something was finished', () => {
    const plain = new PlainProgress(0)
    expect(plain.isDue(counts({ done: 1 }), 9000)).toBe(false)
    expect(plain.isDue(counts({ done: 1 }), 10_000)).toBe(true)
    expect(plain.isDue(counts({ done: 1 }), 30_000)).toBe(false)
    expect(plain.isDue(counts({ done: 1, lost: 1 }), 30_000)).toBe(true)
  })
})

describe('stuck notes', () => {
  const busy = (some: Parameters<typeof task>[0]) => pool({ workers: [worker({ status: 'busy', task: task(some) })] })

  it('say once which task is stuck, where, why, and how to end it', () => {
    const notes = new StuckNotes()
    const lines = notes.observe(busy({ stuck: true, verdict: noProgress }))
    expect(lines).toEqual([
      'stuck (no-progress): It has used no CPU and printed nothing for 9 s.',
      '  PoolWorker-1, pid 4211, 12 s in crawl(login). Look at what it waits for.',
      '  to end it: unhang terminate 4211',
    ])
    expect(notes.observe(busy({ stuck: true, verdict: noProgress }))).toEqual([])
  })
  it('say slow of what works, and propose no end', () => {
    const lines = new StuckNotes().observe(busy({ verdict: slow }))
    expect(lines[0]).toContain('slow, not stuck')
    expect(lines.join()).not.toContain('unhang terminate')
  })
  it('say when the verdict changes', () => {
    const notes = new StuckNotes()
    notes.observe(busy({ verdict: slow }))
    expect(notes.observe(busy({ stuck: true, verdict: noProgress }))[0]).toContain('(no-progress)')
  })
  it('say when a stuck task goes on after all', () => {
    const notes = new StuckNotes()
    notes.observe(busy({ stuck: true, verdict: noProgress }))
    expect(notes.observe(busy({}))).toEqual(['crawl(login) goes on after all'])
  })
  it('say nothing of a task that ended', () => {
    const notes = new StuckNotes()
    notes.observe(busy({ stuck: true, verdict: noProgress }))
    expect(
      notes.observe(
        pool({
          workers: [worker({ status: 'exited', task: task({ state: 'lost', stuck: true, verdict: noProgress }) })],
        }),
      ),
    ).toEqual([])
  })
})

describe('the table of failures', () => {
  it('is not there when nothing failed', () => {
    expect(failuresTable({ failures: [], total: 0 })).toEqual([])
  })
  it('has a row a task with the reason', () => {
    const lines = failuresTable({
      failures: [
        failure({
          signal: 'SIGTERM',
          message:
            'WorkerLostError: PoolWorker-1 (pid 4211) ended with exit -15 (SIGTERM) before crawl(login) was ' +
            'done: ended by us',
        }),
        failure({ label: 'convert a.png', state: 'timedOut', message: 'took longer than 500 ms\n  at x' }),
      ],
      total: 2,
    })
    expect(lines).toEqual([
      '  TASK           STATE      WORKER         PID  AFTER  WHY',
      '  crawl(login)   lost       PoolWorker-1  4211  5.2 s  exit -15 (SIGTERM): ended by us',
      '  convert a.png  timed out  PoolWorker-1  4211  5.2 s  took longer than 500 ms',
    ])
  })
  it('does not say the exit twice', () => {
    expect(
      failuresTable({ failures: [failure({ state: 'failed', exitCode: 1, message: 'false: exit 1' })], total: 1 })[1],
    ).toMatch(/ {2}false: exit 1$/)
  })
  it('leaves worker and time out for a task that never ran', () => {
    expect(
      failuresTable({ failures: [failure({ state: 'cancelled', pid: -1, worker: '', elapsedMs: 0 })], total: 1 })[1],
    ).toBe('  crawl(login)  cancelled')
  })
  it('says how many more there are and where the output is', () => {
    const lines = failuresTable({ failures: [failure({ stderrPath: '/tmp/x/1.err' })], total: 300 })
    expect(lines.slice(2)).toEqual(['  … and 299 more', '  full output, for example: /tmp/x/1.err'])
  })
  it('cuts a long message', () => {
    expect(failuresTable({ failures: [failure({ message: 'x'.repeat(500) })], total: 1 })[1]).toMatch(/ x{159}…$/)
  })
})

describe('the outcome of a pool', () => {
  it('is good only when every task is done', () => {
    expect(poolOutcome(pool({ counts: counts({ done: 3 }), endedAt: 4000 }), 9000)).toEqual({
      ok: true,
      line: 'Stuck: all 3 tasks done in 3.0 s',
    })
    for (const state of ['failed', 'lost', 'timedOut', 'cancelled', 'queued', 'running'] as const) {
      expect(poolOutcome(pool({ counts: counts({ done: 3, [state]: 1 }) }), 9000).ok).toBe(false)
    }
  })
  it('is that of the program where it is one', () => {
    expect(poolOutcome(programPool({ endedAt: 4000 }, { exitCode: 0 }), 9000)).toEqual({
      ok: true,
      line: 'train.py: exit 0 after 3.0 s',
    })
    expect(poolOutcome(programPool({ endedAt: 4000 }, { signal: 'SIGKILL' }), 9000)).toEqual({
      ok: false,
      line: 'train.py: exit -9 (SIGKILL) after 3.0 s',
    })
  })
  it('is bad for a pool that failed, and says why', () => {
    expect(poolOutcome(pool({ failure: 'workers die on start' }), 9000)).toMatchObject({
      ok: false,
      line: expect.stringContaining('workers die on start') as string,
    })
  })
})

describe('the hint at the definition', () => {
  it('names the key of a missing export', () => {
    expect(
      definitionHint({ kind: 'module', failure: null }, [
        failure({ message: "MissingExportError: crawl.js exports no function 'fetch'" }),
      ]),
    ).toMatch(/^"module": .*#/)
  })
  it('names the key of a module that does not load', () => {
    expect(definitionHint({ kind: 'module', failure: '6 workers in a row' }, [])).toMatch(/^"module": .*load/)
  })
  it('names the key of a Python module that does not load, unless the worker has', () => {
    expect(definitionHint({ kind: 'python', failure: '6 workers in a row' }, [])).toMatch(/^"python": .*import/)
    expect(definitionHint({ kind: 'python', failure: 'MissingModuleError: … Write "python" as …' }, [])).toBeUndefined()
    expect(definitionHint({ kind: 'python', failure: null }, [])).toBeUndefined()
  })
  it('says nothing when tasks fail by themselves', () => {
    expect(definitionHint({ kind: 'module', failure: null }, [failure({ message: 'TypeError: x' })])).toBeUndefined()
    expect(definitionHint({ kind: 'command', failure: 'they end' }, [])).toBeUndefined()
  })
})

describe('interrupts', () => {
  it('terminate, then kill, then leave', () => {
    const source = new EventEmitter()
    const steps: InterruptStep[] = []
    new Interrupts(source as never).listen(({ step }) => steps.push(step))
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT', 'SIGINT']) source.emit(signal, signal)
    expect(steps).toEqual(['terminate', 'kill', 'leave', 'leave'])
  })
  it('are kept while the pool is still being launched', () => {
    const source = new EventEmitter()
    const interrupts = new Interrupts(source as never)
    source.emit('SIGTERM', 'SIGTERM')
    const heard: Interrupt[] = []
    interrupts.listen((interrupt) => heard.push(interrupt))
    expect(heard).toEqual([{ step: 'terminate', typed: false }])
  })
  it('are back to normal afterwards', () => {
    const source = new EventEmitter()
    new Interrupts(source as never).dispose()
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0)
  })
})

describe('a definition that cannot run', () => {
  it('is told problem by problem, with the key', () => {
    const answer = new HostRequestError('unhang/launchPool', 'bad', 1, {
      problems: [
        { key: 'processes', message: 'write a number' },
        { key: '', message: 'no items' },
      ],
    })
    const error = launchError('Bad', answer)
    expect(error).toBeInstanceOf(DefinitionError)
    expect(errorText(error)).toBe('unhang: pool "Bad" cannot run:\n  processes: write a number\n  no items')
  })
  it('does not say a key twice', () => {
    const answer = new HostRequestError('unhang/launchPool', 'bad', 1, {
      problems: [{ key: 'cwd', message: '"cwd": there is no folder x.' }],
    })
    expect(errorText(launchError('Bad', answer))).toBe('unhang: pool "Bad" cannot run:\n  "cwd": there is no folder x.')
  })
  it('is one line when it is the label that is wrong', () => {
    const answer = new HostRequestError('unhang/launchPool', 'bad', 1, {
      problems: [{ key: 'label', message: 'No pool task is called "Stuk".' }],
    })
    expect(errorText(launchError('Stuk', answer))).toBe('unhang: No pool task is called "Stuk".')
  })
  it('leaves every other error as it is', () => {
    const other = new HostRequestError('unhang/launchPool', 'bad', 1, undefined)
    expect(launchError('Bad', other)).toBe(other)
  })
})
