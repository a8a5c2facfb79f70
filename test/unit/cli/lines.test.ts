import { describe, expect, it } from 'vitest'
import { LineAssembler } from '../../../src/cli/output/lineAssembler'
import { WorkerOutput } from '../../../src/cli/output/workerOutput'

describe('a line assembler', () => {
  it('keeps half a line until its end arrives', () => {
    const lines = new LineAssembler()
    expect(lines.push('one\ntw')).toEqual(['one'])
    expect(lines.push('o\n')).toEqual(['two'])
  })
  it('gives the last line without an end when the stream is over, once', () => {
    const lines = new LineAssembler()
    lines.push('rest')
    expect(lines.flush()).toEqual(['rest'])
    expect(lines.flush()).toEqual([])
  })
  it('keeps empty lines', () => {
    expect(new LineAssembler().push('a\n\nb\n')).toEqual(['a', '', 'b'])
  })
  it('takes Windows line ends off', () => {
    expect(new LineAssembler().push('a\r\nb\r\n')).toEqual(['a', 'b'])
  })
  it('shows what is left of a line that rewrites itself', () => {
    expect(new LineAssembler().push('10 %\r50 %\r100 %\n')).toEqual(['100 %'])
  })
  it('passes an endless line on in pieces and loses nothing', () => {
    const lines = new LineAssembler()
    const pieces = [...lines.push('x'.repeat(200_000)), ...lines.flush()]
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('')).toHaveLength(200_000)
  })
})

describe('the output of workers', () => {
  const chunk = (worker: string, text: string, stream: 'stdout' | 'stderr' = 'stdout') => ({
    worker,
    taskId: null,
    stream,
    text,
  })

  it('has the name of the worker in front of each line', () => {
    const lines = new WorkerOutput('/run/output').push({
      poolId: 'p',
      chunks: [chunk('PoolWorker-1', 'a\nb\n')],
      dropped: 0,
    })
    expect(lines).toEqual([
      { stream: 'stdout', text: 'PoolWorker-1 | a' },
      { stream: 'stdout', text: 'PoolWorker-1 | b' },
    ])
  })
  it("never mixes the halves of two workers' lines, or of two streams", () => {
    const output = new WorkerOutput('/run/output')
    expect(
      output.push({
        poolId: 'p',
        chunks: [chunk('PoolWorker-1', 'he'), chunk('PoolWorker-2', 'wor'), chunk('PoolWorker-1', 'oops', 'stderr')],
        dropped: 0,
      }),
    ).toEqual([])
    const lines = output.push({
      poolId: 'p',
      chunks: [chunk('PoolWorker-2', 'ld\n'), chunk('PoolWorker-1', 'llo\n')],
      dropped: 0,
    })
    expect(lines.map((line) => line.text)).toEqual(['PoolWorker-2 | world', 'PoolWorker-1 | hello'])
    expect(output.flush()).toEqual([{ stream: 'stderr', text: 'PoolWorker-1 | oops' }])
  })
  it('says how much was left out, and where all of it is', () => {
    const lines = new WorkerOutput('/run/output').push({ poolId: 'p', chunks: [], dropped: 4096 })
    expect(lines[0]?.text).toContain('4096 bytes')
    expect(lines[0]?.text).toContain('/run/output')
  })
})
