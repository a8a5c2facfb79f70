import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs'

/** A system call that could block a host, and the argument that names its file. */
interface Call {
  readonly name: string
  /** The argument with the address of a path. */
  readonly path?: number
  /** The argument with a descriptor. */
  readonly descriptor?: number
}

const open: Call = { name: 'open', path: 0 }
const openat: Call = { name: 'openat', path: 1 }
const stat: Call = { name: 'stat', path: 1 }
const readlink: Call = { name: 'readlink', path: 1 }
const [read, write, getdents, fsync, ftruncate] = ['read', 'write', 'getdents64', 'fsync', 'ftruncate'].map(
  (name): Call => ({ name, descriptor: 0 }),
)
const [futex, wait4, epoll, poll] = ['futex', 'wait4', 'epoll_wait', 'poll'].map((name): Call => ({ name }))

/**
 * Numbers from arch/x86/entry/syscalls/syscall_64.tbl, and from include/uapi/asm-generic/unistd.h, which arm64 follows.
 */
const calls: Readonly<Record<string, Readonly<Record<number, Call | undefined>>>> = {
  x64: {
    0: read,
    1: write,
    2: open,
    7: poll,
    17: read,
    18: write,
    61: wait4,
    74: fsync,
    77: ftruncate,
    202: futex,
    217: getdents,
    232: epoll,
    257: openat,
    262: stat,
    267: readlink,
    271: poll,
    281: epoll,
    332: stat,
  },
  arm64: {
    22: epoll,
    46: ftruncate,
    56: openat,
    61: getdents,
    63: read,
    64: write,
    67: read,
    68: write,
    73: poll,
    78: readlink,
    79: stat,
    82: fsync,
    98: futex,
    260: wait4,
    291: stat,
  },
}

/** The system call that a thread of this process is in, in words; undefined except on Linux. */
export function whereInKernel(thread: number): string | undefined {
  const folder = `/proc/self/task/${thread}`
  const systemCall = textOf(`${folder}/syscall`)?.trim()
  if (systemCall === undefined || systemCall === '') return undefined
  // Neither JavaScript that can be interrupted nor a system call: JSON.parse of a large text, a garbage collection.
  if (systemCall === 'running') return 'in native code that runs'
  const [number = '', ...given] = systemCall.split(' ')
  const call = calls[process.arch]?.[Number(number)]
  const wchan = textOf(`${folder}/wchan`)?.trim() ?? ''
  const kernel = wchan === '' || wchan === '0' ? '' : `, where the kernel waits in ${wchan}`
  return `in the system call ${call?.name ?? number}${call === undefined ? '' : aboutOf(call, given)}${kernel}`
}

function aboutOf({ path, descriptor }: Call, given: readonly string[]): string {
  const about =
    path === undefined
      ? descriptor === undefined
        ? undefined
        : linkOf(Number(BigInt.asIntN(32, BigInt(given[descriptor] ?? -1))))
      : pathAt(given[path])
  return about === undefined ? '' : ` (${JSON.stringify(about)})`
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // Not Linux, or a container that hides it.
    return undefined
  }
}

function linkOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

/** The path in our own memory that the kernel was given. */
function pathAt(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  try {
    const memory = openSync('/proc/self/mem', 'r')
    try {
      const buffer = Buffer.alloc(4096)
      // The page after it may not be there.
      const position = BigInt(address)
      const length = readSync(memory, buffer, 0, 4096 - Number(position % 4096n), position)
      const end = buffer.indexOf(0)
      return buffer.toString('utf8', 0, end < 0 ? length : Math.min(end, length))
    } finally {
      closeSync(memory)
    }
  } catch {
    return undefined
  }
}
