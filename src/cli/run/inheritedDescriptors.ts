import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const nonBlocking = 0o4000

/**
 * The descriptors beyond stdin, stdout and stderr that we were started with: `train.py <(zcat data.gz)` names one. Node closes them to its
 * children (libuv's `uv_disable_stdio_inheritance`), so they have to be passed on by number. Node's own are told apart by what they
 * are: event queues, pipes and sockets that do not block, and the pipe that libuv keeps both ends of as a lock. Empty where there is
 * no /proc.
 */
export function inheritedDescriptors(directory = '/proc/self'): number[] {
  try {
    const open = readdirSync(`${directory}/fd`).map(Number).filter((descriptor) => descriptor > 2).flatMap((descriptor) => describe(directory, descriptor) ?? [])
    const both = (target: string): boolean => target.startsWith('pipe:') && open.filter((other) => other.target === target).length > 1
    return open
      .filter(({ target, blocks }) => blocks && !target.startsWith('anon_inode:') && !both(target))
      .map(({ descriptor }) => descriptor)
      .sort((a, b) => a - b)
  } catch {
    return []
  }
}

function describe(directory: string, descriptor: number): { descriptor: number; target: string; blocks: boolean } | undefined {
  try {
    const target = readlinkSync(`${directory}/fd/${descriptor}`)
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`${directory}/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags === undefined ? undefined : { descriptor, target, blocks: (parseInt(flags, 8) & nonBlocking) === 0 }
  } catch {
    // The one that the listing itself was read from is closed again.
    return undefined
  }
}
