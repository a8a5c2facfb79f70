import { describe, expect, it } from 'vitest'
import { recogniseProcess } from '../../../src/diagnosis'

const python = '/opt/python/3.11/bin/python3'
/** Command lines as `/proc/PID/cmdline` gave them, with `|` between the arguments. */
const recognise = (line: string | null, parent: string | null = null, command = 'python3'): string => {
  const { kind, role, name } = recogniseProcess({
    commandLine: line === null ? null : line.split('|'),
    command,
    parentCommandLine: parent?.split('|') ?? null,
  })
  return `${kind} ${role}: ${name}`
}

describe('a process of a Python program', () => {
  const program = `${python}|train.py|--fast`
  const forkServer =
    `${python}|-B|-c|from multiprocessing.forkserver import main; main(11, 12, ['__main__'], ` +
    "**{'sys_path': ['/w']})"
  it.each([
    ['the program itself', program, null, 'python program: train.py'],
    ['what it forked', program, program, 'python pool-worker: forked worker'],
    [
      'what it spawned',
      `${python}|-B|-c|from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6, ` +
        'pipe_handle=13)|--multiprocessing-fork',
      program,
      'python pool-worker: spawned worker',
    ],
    [
      'what a frozen program spawned',
      `/opt/app/python3|--multiprocessing-fork|tracker_fd=6|pipe_handle=13`,
      program,
      'python pool-worker: spawned worker',
    ],
    ['the fork server', forkServer, program, 'python fork-server: fork server'],
    ['what the fork server forked', forkServer, forkServer, 'python pool-worker: forked worker'],
    [
      'the resource tracker',
      `${python}|-B|-c|from multiprocessing.resource_tracker import main;main(5)`,
      program,
      'python resource-tracker: resource tracker',
    ],
    [
      'the semaphore tracker of old versions',
      `${python}|-c|from multiprocessing.semaphore_tracker import main;main(5)`,
      program,
      'python semaphore-tracker: semaphore tracker',
    ],
    ['a command of its own', '/bin/sh|-c|sleep 1', program, 'other child: sh'],
    ['another Python program', `${python}|other.py`, program, 'python child: other.py'],
    ['a module', `${python}|-X|dev|-m|package.tool|-m|x`, null, 'python program: -m package.tool'],
    ['a worker that shows its name', 'python: ForkPoolWorker-3', program, 'python pool-worker: ForkPoolWorker-3'],
    [
      'a script whose arguments look like code',
      `${python}|train.py|-c|from multiprocessing.spawn import spawn_main`,
      null,
      'python program: train.py',
    ],
    [
      'one with options put together',
      `${python}|-IBc|from multiprocessing.resource_tracker import main;main(5)`,
      program,
      'python resource-tracker: resource tracker',
    ],
    ['an interactive one', python, null, 'python program: python3'],
  ])('is known: %s', (_, line, parent, expected) => {
    expect(recognise(line, parent)).toBe(expected)
  })

  it.each([
    'python',
    'python3',
    'python3.13',
    'python3.13t',
    '/venv/bin/python3',
    'C:\\Python313\\python.exe',
    '/Library/Frameworks/Python.framework/Versions/3.13/Resources/Python.app/Contents/MacOS/Python',
    'pypy3.10',
  ])('is known as %s', (interpreter) => {
    expect(recognise(`${interpreter}|train.py`)).toBe('python program: train.py')
  })

  it('is known by its short name alone when its arguments cannot be read', () => {
    expect(recognise(null, null, 'python3.11')).toBe('python program: python3.11')
    expect(recognise(null, program, 'python3.11')).toBe('python child: python3.11')
  })
})

describe('a process of joblib, celery or gunicorn', () => {
  const program = '/usr/bin/python3|jl.py'
  it.each([
    [
      'a loky worker',
      '/usr/bin/python3|-m|joblib.externals.loky.backend.popen_loky_posix|--process-name|LokyProcess-1|--pipe|14',
      'python pool-worker: LokyProcess-1',
    ],
    [
      'a loky worker outside of joblib',
      '/usr/bin/python3|-m|loky.backend.popen_loky_posix|--pipe|14',
      'python pool-worker: LokyProcess',
    ],
    [
      'its resource tracker',
      '/usr/bin/python3|-B|-c|from joblib.externals.loky.backend.resource_tracker import main; main(3, False)',
      'python resource-tracker: resource tracker',
    ],
    [
      'the tracker of an older one',
      '/usr/bin/python3|-c|from loky.backend.semaphore_tracker import main; main(3)',
      'python semaphore-tracker: semaphore tracker',
    ],
    ['a billiard worker, forked', program, 'python pool-worker: forked worker'],
    [
      'a worker of celery with setproctitle',
      '[celeryd: celery@host:ForkPoolWorker-1]',
      'python pool-worker: ForkPoolWorker-1',
    ],
    [
      'celery itself with setproctitle',
      '[celeryd: celery@host:MainProcess] -active- (-A app worker)',
      'python program: celery',
    ],
    ['a worker of gunicorn with setproctitle', 'gunicorn: worker [shop]', 'python pool-worker: gunicorn worker'],
    ['gunicorn itself with setproctitle', 'gunicorn: master [shop]', 'python program: gunicorn master'],
  ])('is known: %s', (_, line, expected) => {
    expect(recognise(line, program)).toBe(expected)
  })

  it('is known without setproctitle', () => {
    const gunicorn = '/usr/bin/python3|/usr/local/bin/gunicorn|app:app|-w|4'
    expect(recognise(gunicorn)).toBe('python program: gunicorn')
    expect(recognise(gunicorn, gunicorn)).toBe('python pool-worker: forked worker')
    const uvicorn = '/usr/bin/python3|/usr/local/bin/uvicorn|app:app|--workers|4'
    expect(
      recognise(
        '/usr/bin/python3|-c|from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, ' +
          'pipe_handle=7)|--multiprocessing-fork',
        uvicorn,
      ),
    ).toBe('python pool-worker: spawned worker')
  })
})

describe('a process of a Node program', () => {
  const program = 'node|/w/node_modules/.bin/jest'
  it.each([
    [
      'the program itself',
      '/usr/bin/node|--max-old-space-size=4096|-r|./setup.js|/w/server.js|--port|1',
      null,
      'node program: server.js',
    ],
    ['one that evaluates', 'node|-e|run()', null, 'node program: node'],
    [
      'a jest worker',
      '/usr/bin/node|/w/node_modules/jest-worker/build/workers/processChild.js',
      program,
      'node pool-worker: jest worker',
    ],
    [
      'a jest worker of another version',
      '/usr/bin/node|/w/node_modules/jest-worker/build/processChild.js',
      program,
      'node pool-worker: jest worker',
    ],
    [
      'a tinypool worker',
      '/usr/bin/node|--conditions|node|' +
        '/w/node_modules/.pnpm/tinypool@1.0.2/node_modules/tinypool/dist/entry/process.js',
      program,
      'node pool-worker: tinypool worker',
    ],
    [
      'a vitest worker',
      '/usr/bin/node|/w/node_modules/vitest/dist/workers/forks.js',
      program,
      'node pool-worker: vitest worker',
    ],
    ['a vitest worker that shows its number', 'node (vitest 2)', program, 'node pool-worker: vitest 2'],
    ['vitest itself', 'node (vitest)', null, 'node program: vitest'],
    [
      'a workerpool worker',
      '/usr/bin/node|/w/node_modules/workerpool/src/worker.js',
      program,
      'node pool-worker: workerpool worker',
    ],
    ['a worker of a cluster', program, program, 'node pool-worker: cluster worker'],
    ['a child', '/usr/bin/node|/w/compile.js', program, 'node child: compile.js'],
  ])('is known: %s', (_, line, parent, expected) => {
    expect(recognise(line, parent, 'node')).toBe(expected)
  })
})

describe('any other process', () => {
  it('is a program or a child', () => {
    expect(recognise('/usr/bin/make|-j4', null, 'make')).toBe('other program: make')
    expect(recognise('/usr/bin/make|-j4', '/usr/bin/make|-j4', 'make')).toBe('other child: make')
    expect(recognise('', null, 'kthreadd')).toBe('other program: kthreadd')
  })
})
