import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

// As fdinfo has them, of <fcntl.h>.
const nonBlocking = 0o4000
const accessMode = 0o3

/**
 * The descriptors beyond stdin, stdout and stderr that we were started with: `train.py <(zcat data.gz)` names one. Node
 * closes them to its children (libuv's `uv_disable_stdio_inheritance`), so they have to be passed on by number. Node's
 * own are told apart by what they are: event queues, pipes and sockets that do not block, the pipe that libuv keeps
 * both ends of as a lock, and the /dev/null that it keeps in reserve. Empty where there is no /proc.
 */
export function inheritedDescriptors(directory = '/proc/self'): number[] {
  try {
    const open = readdirSync(`${directory}/fd`)
      .map(Number)
      .filter((descriptor) => descriptor > 2)
      .flatMap((descriptor) => describe(directory, descriptor) ?? [])
    const both = (target: string): boolean =>
      target.startsWith('pipe:') && open.filter((other) => other.target === target).length > 1
    return open
      .filter(
        ({ target, blocks, isReadOnly }) =>
          blocks && !target.startsWith('anon_inode:') && !(target === '/dev/null' && isReadOnly) && !both(target),
      )
      .map(({ descriptor }) => descriptor)
      .sort((a, b) => a - b)
  } catch {
    return []
  }
}

function describe(
  directory: string,
  descriptor: number,
): { descriptor: number; target: string; blocks: boolean; isReadOnly: boolean } | undefined {
  try {
    const target = readlinkSync(`${directory}/fd/${descriptor}`)
    const octal = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`${directory}/fdinfo/${descriptor}`, 'utf8'))?.[1]
    if (octal === undefined) return undefined
    const flags = parseInt(octal, 8)
    return { descriptor, target, blocks: (flags & nonBlocking) === 0, isReadOnly: (flags & accessMode) === 0 }
  } catch {
    // The one that the listing itself was read from is closed again.
    return undefined
  }
}
