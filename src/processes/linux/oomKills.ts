import { readProcText } from './procFile'

/** Where a counter of OOM kills stands. */
interface Counter {
  readonly path: string
  readonly key: string
}

/** Cgroups of processes that were asked for are remembered for so many; the oldest are forgotten first. */
const mostRemembered = 10_000

/**
 * Counts of the kernel's OOM killer. The kernel counts a kill in the cgroup of its victim, whatever ran out of memory:
 * the cgroup, one above it, or the machine (mem_cgroup_oom, memcg_memory_event_mm). So the counter of the process's own
 * cgroup is the most exact; the machine's counter includes unrelated processes.
 */
export class OomKills {
  readonly #readText: (path: string) => string | undefined

  /** By identity: a process that has been collected no longer tells its cgroup. */
  readonly #counters = new Map<string, Counter>()

  constructor(readText: (path: string) => string | undefined = readProcText) {
    this.#readText = readText
  }

  /** `key` stands for the process's identity; `isSame` tells after the look whether the pid is still its own. */
  count(pid: number, key: string, isSame: () => boolean): number | null {
    const counter = this.#counters.get(key) ?? this.#find(pid, key, isSame)
    return counter === undefined ? null : this.#read(counter)
  }

  #find(pid: number, key: string, isSame: () => boolean): Counter | undefined {
    const cgroups = this.#readText(`/proc/${pid}/cgroup`)
    if (cgroups === undefined || !isSame()) return undefined
    const own = counterOf(cgroups, this.#readText('/proc/self/mountinfo') ?? '')
    const counter = own !== undefined && this.#read(own) !== null ? own : { path: '/proc/vmstat', key: 'oom_kill' }
    this.#counters.set(key, counter)
    for (const oldest of this.#counters.keys()) {
      if (this.#counters.size <= mostRemembered) break
      this.#counters.delete(oldest)
    }
    return counter
  }

  #read({ path, key }: Counter): number | null {
    const line = this.#readText(path)
      ?.split('\n')
      .find((text) => text.startsWith(`${key} `))
    return line === undefined ? null : Number(line.slice(key.length + 1))
  }
}

/**
 * The counter of the cgroup that `/proc/PID/cgroup` names: `memory.oom_control` where version 1 has the memory
 * controller, else `memory.events`. `mountinfo` (proc_pid_mountinfo(5)) tells where that hierarchy is mounted, and
 * which part of it: a container often sees its own branch only. Undefined when the cgroup is not below the mount.
 */
export function counterOf(cgroups: string, mountinfo: string): Counter | undefined {
  const entries = cgroups.split('\n').map((line) => /^(\d+):([^:]*):(.*)$/.exec(line) ?? [])
  const first = entries.find(([, , controllers = '']) => controllers.split(',').includes('memory'))
  const [, , , cgroup] =
    first ?? entries.find(([, hierarchy, controllers]) => hierarchy === '0' && controllers === '') ?? []
  if (cgroup === undefined) return undefined

  for (const line of mountinfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ')
    const [type, , options = ''] = filesystem.split(' ')
    const isTheOne =
      first === undefined ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory')
    if (!isTheOne) continue
    const [, , , root = '', mountPoint = ''] = mount.split(' ').map(unescapeMount)
    const below =
      root === '/'
        ? cgroup
        : cgroup === root
          ? '/'
          : cgroup.startsWith(`${root}/`)
            ? cgroup.slice(root.length)
            : undefined
    // `/..` leads out of our cgroup namespace.
    if (below === undefined || below.startsWith('/..')) continue
    const folder = below === '/' ? mountPoint : mountPoint + below
    return { path: `${folder}/${first === undefined ? 'memory.events' : 'memory.oom_control'}`, key: 'oom_kill' }
  }
  return undefined
}

/** Blanks, tabs, newlines and backslashes stand as `\040` in mountinfo. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
