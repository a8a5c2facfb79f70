import { describe, expect, test } from 'vitest'
import { waitingCall } from '../../../src/processes/linux/systemCalls'
import { parseWait, type WaitSources } from '../../../src/processes/linux/wait'

const links: Readonly<Record<number, string>> = { 1: 'pipe:[11]', 3: 'pipe:[33]', 4: 'socket:[44]', 5: '/dev/pts/0' }
const parse = (
  wchan: string | undefined,
  systemCall: string | undefined,
  rest: Partial<WaitSources> = {},
): ReturnType<typeof parseWait> =>
  parseWait({ wchan, systemCall, architecture: 'x64', target: (descriptor) => links[descriptor], ...rest })

describe('where a process waits', () => {
  test('is a futex that processes share, as that of a multiprocessing lock', () => {
    expect(
      parse('futex_do_wait', '202 0x7f3770bf5000 0x109 0x0 0x0 0x0 0xffffffff 0x7ffe2b09ed20 0x7f37704a3e96\n'),
    ).toEqual({
      kind: 'futex',
      wchan: 'futex_do_wait',
      address: '0x7f3770bf5000',
      isPrivate: false,
      timed: false,
      descriptor: null,
      target: null,
      child: null,
    })
  })

  test('is a futex of its own, with and without a time limit', () => {
    expect(parse('futex_wait_queue', '202 0x55e0371a5300 0x189 0x0 0x0 0x0 0xffffffff 0x7f 0x7f')).toMatchObject({
      kind: 'futex',
      isPrivate: true,
      timed: false,
    })
    expect(
      parse('futex_wait_queue', '202 0x55e0371a5300 0x189 0x0 0x7ffe2b09ed20 0x0 0xffffffff 0x7f 0x7f'),
    ).toMatchObject({ isPrivate: true, timed: true })
  })

  test('is a futex by the newer call', () => {
    expect(parse('futex_do_wait', '455 0x7f00 0x0 0xffffffff 0x82 0x7ffe 0x1 0x7f 0x7f')).toMatchObject({
      kind: 'futex',
      address: '0x7f00',
      isPrivate: true,
      timed: true,
    })
  })

  test('is a pipe or a socket, whichever the descriptor is', () => {
    expect(parse('anon_pipe_read', '0 0x3 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'pipe-read',
      descriptor: 3,
      target: 'pipe:[33]',
    })
    expect(parse('anon_pipe_write', '20 0x1 0x7f 0x2 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'pipe-write',
      descriptor: 1,
      target: 'pipe:[11]',
    })
    expect(parse('unix_stream_read_generic', '45 0x4 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'socket-read',
      descriptor: 4,
    })
    expect(parse('sock_alloc_send_pskb', '1 0x4 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'socket-write',
      target: 'socket:[44]',
    })
  })

  test("is known by the kernel's word when the descriptor cannot be looked at", () => {
    expect(parse('pipe_read', '0 0x9 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'pipe-read',
      descriptor: 9,
      target: null,
    })
  })

  test('is something else where it reads from something else', () => {
    expect(parse('wait_woken', '0 0x5 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'other',
      wchan: 'wait_woken',
      target: '/dev/pts/0',
    })
  })

  test.each([
    ['poll', '7'],
    ['poll', '232'],
    ['poll', '271'],
    ['child', '61'],
    ['child', '247'],
    ['sleep', '35'],
    ['sleep', '230'],
  ] as const)('is %s by the system call %s', (kind, number) => {
    expect(parse('x', `${number} 0x3 0x0 0x0 0x0 0x0 0x0 0x7f 0x7f`)).toMatchObject({ kind, descriptor: null })
  })

  test('is a child, whichever or that one', () => {
    expect(parse('do_wait', '61 0x1267 0x7f 0x0 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({ kind: 'child', child: 4711 })
    expect(parse('do_wait', '61 0xffffffffffffffff 0x7f 0x0 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({
      kind: 'child',
      child: null,
    })
    expect(parse('do_wait', '247 0x1 0x1267 0x7f 0x4 0x0 0x0 0x7f 0x7f')).toMatchObject({ kind: 'child', child: null })
    expect(parse('do_wait', '260 0x1267 0x7f 0x0 0x0 0x0 0x0 0x7f 0x7f', { architecture: 'arm64' })).toMatchObject({
      kind: 'child',
      child: 4711,
    })
    expect(parse('do_wait', undefined)).toMatchObject({ kind: 'child', child: null })
  })

  test('is by other numbers on arm64', () => {
    expect(
      parse('futex_do_wait', '98 0x7f00 0x189 0x0 0x0 0x0 0x0 0x7f 0x7f', { architecture: 'arm64' }),
    ).toMatchObject({ kind: 'futex', isPrivate: true })
    expect(parse('anon_pipe_read', '63 0x3 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f', { architecture: 'arm64' })).toMatchObject({
      kind: 'pipe-read',
      descriptor: 3,
    })
    expect(parse('x', '22 0x3 0x0 0x0 0x0 0x0 0x0 0x7f 0x7f', { architecture: 'arm64' })).toMatchObject({
      kind: 'poll',
    })
    expect(waitingCall(202, 'arm64')).toBe('read')
    expect(waitingCall(202, 's390x')).toBeUndefined()
  })

  test.each([
    ['futex', 'futex_wait_queue_me'],
    ['futex', 'futex_do_wait'],
    ['pipe-read', 'anon_pipe_read'],
    ['pipe-write', 'pipe_write'],
    ['socket-read', 'unix_stream_data_wait'],
    ['socket-write', 'sock_alloc_send_pskb'],
    ['poll', 'poll_schedule_timeout.constprop.0'],
    ['poll', 'do_epoll_wait'],
    ['child', 'do_wait'],
    ['sleep', 'hrtimer_nanosleep'],
    ['other', 'fcntl_setlk'],
    ['other', ''],
  ] as const)('is %s by the word %s alone, where only a parent may see the system call', (kind, word) => {
    expect(parse(word, undefined)).toEqual({
      kind,
      wchan: word,
      address: null,
      isPrivate: false,
      timed: false,
      descriptor: null,
      target: null,
      child: null,
    })
  })

  test('is the call that went on after SIGCONT', () => {
    expect(parse('hrtimer_nanosleep', '219 0x0 0x0 0x0 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({ kind: 'sleep' })
  })

  test('is nowhere while it runs, and unknown outside of system calls', () => {
    expect(parse('0', 'running\n')).toMatchObject({ kind: 'running', wchan: '' })
    expect(parse('0', '-1 0x7ffd 0x7f\n')).toMatchObject({ kind: 'other', wchan: '' })
    expect(parse(undefined, undefined)).toMatchObject({ kind: 'other', wchan: '' })
  })

  test('has a descriptor of 32 bits in a register of 64', () => {
    expect(parse('x', '0 0xffffffff00000003 0x7f 0x4 0x0 0x0 0x0 0x7f 0x7f')).toMatchObject({ descriptor: 3 })
  })
})
