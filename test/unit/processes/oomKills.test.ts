import { describe, expect, test } from 'vitest'
import { counterOf, OomKills } from '../../../src/processes/linux/oomKills'

const version1 =
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw\n33 31 0:30 / /sys/fs/cgroup/cpu rw shared:9 - ' +
  'cgroup cgroup rw,cpu\n35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n41 31 0:38 / ' +
  '/sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n'
const version2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n'

describe('the counter of OOM kills', () => {
  test('of version 1 is that of the memory controller', () => {
    expect(counterOf('9:name=systemd:/x\n4:memory:/jobs/7\n0::/unified\n', version1)).toEqual({
      path: '/sys/fs/cgroup/memory/jobs/7/memory.oom_control',
      key: 'oom_kill',
    })
    expect(counterOf('4:memory:/\n', version1)?.path).toBe('/sys/fs/cgroup/memory/memory.oom_control')
  })

  test('of version 2 is in memory.events', () => {
    expect(counterOf('0::/user.slice/app.scope\n', version2)?.path).toBe(
      '/sys/fs/cgroup/user.slice/app.scope/memory.events',
    )
  })

  test('of a container is below what it sees of the hierarchy', () => {
    const container = '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n'
    expect(counterOf('4:memory:/docker/abc\n', container)?.path).toBe('/sys/fs/cgroup/memory/memory.oom_control')
    expect(counterOf('4:memory:/docker/abc/jobs\n', container)?.path).toBe(
      '/sys/fs/cgroup/memory/jobs/memory.oom_control',
    )
    expect(counterOf('4:memory:/docker/abcd\n', container)).toBeUndefined()
  })

  test('is out of sight beyond the namespace, where nothing is mounted, and without control groups', () => {
    expect(counterOf('0::/../other\n', version2)).toBeUndefined()
    expect(counterOf('0::/a\n', '')).toBeUndefined()
    expect(counterOf('', version2)).toBeUndefined()
  })

  test('is found behind a blank in the path', () => {
    expect(counterOf('0::/a\n', '30 23 0:26 / /mnt/my\\040groups rw - cgroup2 cgroup2 rw\n')?.path).toBe(
      '/mnt/my groups/a/memory.events',
    )
  })
})

describe('OOM kills', () => {
  const files = new Map<string, string>()
  const kills = (): OomKills => new OomKills((path) => files.get(path))
  const here = (): boolean => true

  test('are counted in the own group, also when the process is gone', () => {
    const oom = kills()
    files.clear()
    files
      .set('/proc/7/cgroup', '0::/a\n')
      .set('/proc/self/mountinfo', version2)
      .set('/proc/vmstat', 'oom_kill 9\n')
      .set('/sys/fs/cgroup/a/memory.events', 'low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n')
    expect(oom.count(7, '7 start', here)).toBe(2)
    files.delete('/proc/7/cgroup')
    files.set('/sys/fs/cgroup/a/memory.events', 'oom_kill 3\n')
    expect(oom.count(7, '7 start', () => false)).toBe(3)
    // Not the machine's count, which counts something else.
    files.delete('/sys/fs/cgroup/a/memory.events')
    expect(oom.count(7, '7 start', () => false)).toBeNull()
  })

  test('are those of the machine where the group has no counter, as the root of version 2', () => {
    files.clear()
    files
      .set('/proc/7/cgroup', '0::/\n')
      .set('/proc/self/mountinfo', version2)
      .set('/proc/vmstat', 'nr_free_pages 5\noom_kill 9\n')
    expect(kills().count(7, '7 start', here)).toBe(9)
  })

  test(
    'are unknown when nothing says, when the process was gone before anybody asked, and when its pid is ' +
      "somebody else's",
    () => {
      files.clear()
      expect(kills().count(7, '7 start', here)).toBeNull()
      files.set('/proc/7/cgroup', '0::/\n').set('/proc/vmstat', 'nr_free_pages 5\n')
      expect(kills().count(7, '7 start', here)).toBeNull()
      files.set('/proc/vmstat', 'oom_kill 9\n')
      expect(kills().count(7, '7 start', () => false)).toBeNull()
    },
  )
})
