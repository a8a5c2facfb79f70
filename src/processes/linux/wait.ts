import type { ProcessWait } from '../types'
import { waitingCall } from './systemCalls'

/** What /proc says of the moment; the texts are the files' content, undefined when they could not be read. */
export interface WaitSources {
  /** /proc/PID/wchan: a function of the kernel, or `0`. Whoever may look at the process can read it. */
  readonly wchan: string | undefined
  /**
   * /proc/PID/syscall: `running`, or number and arguments. Not readable where only a parent may trace (Yama); then only
   * wchan is known.
   */
  readonly systemCall: string | undefined
  readonly architecture: string
  /** The link /proc/PID/fd/N; undefined when it cannot be read. */
  readonly target: (descriptor: number) => string | undefined
}

/** Flag of a futex operation: shared with nobody outside the process (linux/futex.h). */
const FUTEX_PRIVATE_FLAG = 128

/** Where a process waits, from the kernel's word for it and the system call it is in. */
export function parseWait({ wchan: word = '', systemCall, architecture, target }: WaitSources): ProcessWait {
  const wchan = word.trim() === '0' ? '' : word.trim()
  const wait = {
    kind: kindByWord(wchan),
    wchan,
    address: null,
    isPrivate: false,
    timed: false,
    descriptor: null,
    target: null,
    child: null,
  }
  if (systemCall?.trim() === 'running') return { ...wait, kind: 'running' }

  const [number = '', ...args] = (systemCall ?? '').trim().split(' ')
  // A missing number means unknown; 0 would mean a read.
  const call = number === '' ? undefined : waitingCall(Number(number), architecture)
  switch (call) {
    case 'futex':
    case 'futex2': {
      // futex(address, operation, value, timeout), futex_wait(address, value, mask, flags, timeout)
      const [flags = '0', timeout = '0'] = call === 'futex' ? [args[1], args[3]] : [args[3], args[4]]
      return {
        ...wait,
        kind: 'futex',
        address: args[0] ?? null,
        isPrivate: (Number(flags) & FUTEX_PRIVATE_FLAG) !== 0,
        timed: Number(timeout) !== 0,
      }
    }
    case 'read':
    case 'write': {
      // The register holds 64 bits, the descriptor is the lower 32.
      const descriptor = Number(BigInt.asIntN(32, BigInt(args[0] ?? -1)))
      const link = target(descriptor) ?? null
      return { ...wait, kind: kindByLink(call, link) ?? wait.kind, descriptor, target: link }
    }
    case 'child': {
      // wait4(pid, …): less than 1 stands for any child, or any of a group.
      const pid = Number(BigInt.asIntN(32, BigInt(args[0] ?? -1)))
      return { ...wait, kind: 'child', child: pid > 0 ? pid : null }
    }
    case 'child2':
      return { ...wait, kind: 'child' }
    case 'poll':
    case 'sleep':
      return { ...wait, kind: call }
    case 'restart':
    case undefined:
      return wait
  }
}

function kindByLink(call: 'read' | 'write', link: string | null): ProcessWait['kind'] | undefined {
  if (link?.startsWith('pipe:') === true) return `pipe-${call}`
  if (link?.startsWith('socket:') === true) return `socket-${call}`
  return undefined
}

/**
 * Functions that the kernel sleeps in, of Linux 4.15 to 6.18. Compilers add suffixes
 * (`poll_schedule_timeout.constprop.0`), so the beginning of the name is compared.
 */
const words: readonly (readonly [ProcessWait['kind'], readonly string[]])[] = [
  ['futex', ['futex_']],
  ['pipe-read', ['pipe_read', 'anon_pipe_read', 'fifo_pipe_read']],
  ['pipe-write', ['pipe_write', 'anon_pipe_write', 'fifo_pipe_write']],
  [
    'socket-read',
    [
      'unix_stream_read_generic',
      'unix_stream_data_wait',
      '__skb_wait_for_more_packets',
      'sk_wait_data',
      'inet_csk_accept',
      '__skb_recv_',
    ],
  ],
  ['socket-write', ['sock_alloc_send_pskb', 'sk_stream_wait_memory', 'unix_wait_for_peer']],
  ['poll', ['poll_schedule_timeout', 'do_epoll_wait', 'ep_poll', 'do_sys_poll', 'do_poll', 'do_select']],
  ['child', ['do_wait', 'kernel_wait']],
  ['sleep', ['hrtimer_nanosleep', 'do_nanosleep', 'common_nsleep']],
]

function kindByWord(wchan: string): ProcessWait['kind'] {
  return words.find(([, beginnings]) => beginnings.some((beginning) => wchan.startsWith(beginning)))?.[0] ?? 'other'
}
