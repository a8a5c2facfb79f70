import { describe, expect, test } from 'vitest'
import { CommandLines, parseCommandLine } from '../../../src/processes/linux/commandLines'
import type { ProcessRow, ProcessState } from '../../../src/processes/types'

function row(pid: number, state: ProcessState = 'sleeping', start = 1): ProcessRow {
  return {
    identity: { pid, startTime: `boot-${start}` },
    parentPid: 1,
    processGroup: 1,
    session: 1,
    state,
    command: 'x',
  }
}

describe('a command line', () => {
  test('has arguments that end with NUL, and some may be empty', () => {
    expect(parseCommandLine('python3\0train.py\0')).toEqual(['python3', 'train.py'])
    expect(parseCommandLine('python3\0-c\0\0x\0')).toEqual(['python3', '-c', '', 'x'])
  })

  test('can be a title, with the space of the arguments behind it', () => {
    expect(parseCommandLine('gunicorn: worker [shop]\0\0\0\0')).toEqual(['gunicorn: worker [shop]'])
    expect(parseCommandLine('nginx: worker process      ')).toEqual(['nginx: worker process'])
  })

  test('is empty of a kernel thread', () => {
    expect(parseCommandLine('')).toEqual([])
  })
})

describe('command lines', () => {
  test(
    'are not read from a process in the kernel, whose memory may be locked for ever, nor ' + 'from a zombie',
    async () => {
      const asked: number[] = []
      const lines = new CommandLines(20, (pid) => {
        asked.push(pid)
        return Promise.resolve('x\0')
      })
      expect(
        await Promise.all([lines.read(row(1, 'uninterruptible')), lines.read(row(2, 'zombie')), lines.read(row(3))]),
      ).toEqual([undefined, undefined, ['x']])
      expect(asked).toEqual([3])
    },
  )

  test(
    'of a process that does not answer are given up, and not asked for again until ' + 'another has the pid',
    async () => {
      const asked: number[] = []
      const lines = new CommandLines(20, (pid) => {
        asked.push(pid)
        return new Promise(() => undefined)
      })
      expect(await lines.read(row(7))).toBeUndefined()
      expect(await lines.read(row(7))).toBeUndefined()
      expect(asked).toEqual([7])
      await lines.read(row(7, 'sleeping', 2))
      expect(asked).toEqual([7, 7])
    },
  )

  test('of processes that are gone or forbidden are unknown, and other errors are told', async () => {
    const failing = (code: string): CommandLines =>
      new CommandLines(20, () => Promise.reject(Object.assign(new Error(code), { code })))
    expect(await failing('ESRCH').read(row(7))).toBeUndefined()
    expect(await failing('EACCES').read(row(7))).toBeUndefined()
    await expect(failing('EIO').read(row(7))).rejects.toThrow('EIO')
  })
})
