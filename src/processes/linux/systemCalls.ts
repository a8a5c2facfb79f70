/** What a system call does that a process may wait in, and which of its arguments say more. */
export type WaitingCall =
  /** The first argument is a descriptor. */
  | 'read'
  | 'write'
  /** The first argument is the address, the second the operation with its flags. */
  | 'futex'
  /** futex_wait of Linux 6.7: the first argument is the address, the fourth the flags. */
  | 'futex2'
  /** The first argument is the pid. */
  | 'child'
  /** waitid, whose first argument is a kind of children. */
  | 'child2'
  | 'poll'
  | 'sleep'
  /** What was interrupted by SIGSTOP goes on: which call that was, only the kernel's word tells. */
  | 'restart'

/** Numbers from arch/x86/entry/syscalls/syscall_64.tbl, for the calls in the order below. */
const x64: Readonly<Record<WaitingCall, readonly number[]>> = {
  // read, pread64, readv, accept, recvfrom, recvmsg, accept4, recvmmsg
  read: [0, 17, 19, 43, 45, 47, 288, 299],
  // write, pwrite64, writev, sendfile, sendto, sendmsg, sendmmsg
  write: [1, 18, 20, 40, 44, 46, 307],
  futex: [202],
  futex2: [455],
  // poll, select, epoll_wait, pselect6, ppoll, epoll_pwait, epoll_pwait2
  poll: [7, 23, 232, 270, 271, 281, 441],
  // wait4
  child: [61],
  // waitid
  child2: [247],
  // nanosleep, clock_nanosleep
  sleep: [35, 230],
  restart: [219],
}

/** Numbers from include/uapi/asm-generic/unistd.h, which arm64 follows; it has no poll, select and epoll_wait. */
const arm64: Readonly<Record<WaitingCall, readonly number[]>> = {
  read: [63, 67, 65, 202, 207, 212, 242, 243],
  write: [64, 68, 66, 71, 206, 211, 269],
  futex: [98],
  futex2: [455],
  // epoll_pwait, pselect6, ppoll, epoll_pwait2
  poll: [22, 72, 73, 441],
  // wait4
  child: [260],
  // waitid
  child2: [95],
  // nanosleep, clock_nanosleep
  sleep: [101, 115],
  restart: [128],
}

const byArchitecture: ReadonlyMap<string, ReadonlyMap<number, WaitingCall>> = new Map([
  ['x64', byNumber(x64)],
  ['arm64', byNumber(arm64)],
])

/**
 * What the system call with this number does; undefined for those a process does not wait in, and on other processors.
 */
export function waitingCall(number: number, architecture: string): WaitingCall | undefined {
  return byArchitecture.get(architecture)?.get(number)
}

function byNumber(numbers: Readonly<Record<WaitingCall, readonly number[]>>): Map<number, WaitingCall> {
  return new Map(
    Object.entries(numbers).flatMap(([call, ofCall]) => ofCall.map((number) => [number, call as WaitingCall] as const)),
  )
}
