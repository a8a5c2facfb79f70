import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { launchedCommand } from '../../../../src/processes'

const words = (line: string): string[] => line.split(' ')

describe('the program behind a launcher', () => {
  test.each([
    'env X=1',
    'env -i X=1 Y=2',
    'env - X=1',
    'env -u PYTHONPATH -C /tmp',
    'env -iu PYTHONPATH --chdir=/tmp --',
    'env --unset PYTHONPATH',
    '/usr/bin/env',
    'X=1 Y=2',
    'nice',
    'nice -n 5',
    'nice -n5',
    'nice -10',
    'nice --adjustment=5',
    'timeout 5s',
    'timeout -k 1 -s KILL --foreground 5',
    'timeout --signal=INT 5m',
    'nohup',
    'setsid -w',
    'stdbuf -oL -e 0',
    'time -v -o out.txt',
    'ionice -c 2 -n 7 -t',
    'taskset -c 0,3',
    'taskset 03',
    'chrt -r 10',
    'numactl --cpunodebind 0 -m 0',
    'sudo -u nobody X=1',
    'strace -f -o out.txt',
    'exec',
    'uv run',
    'uv -q run --with rich --python 3.12',
    'uv --directory /tmp run -p 3.12 --no-project --',
    'uv run --env-file=.env --extra test',
    'poetry run',
    'poetry -C /tmp run',
    'pipenv run',
    'pipenv --python 3.12 run',
    'pdm run -p /tmp',
    'conda run -n env --no-capture-output',
    'micromamba run -p /opt/env',
    'env X=1 nice -n 5 timeout 5 uv run',
  ])('is the same behind `%s`', (launcher) => {
    const python = words('python3.13t -I train.py -n 5')
    expect(launchedCommand([...words(launcher), ...python])).toEqual(python)
  })

  test.each([
    ['uv run train.py --fast', 'python train.py --fast'],
    ['uv run -m pytest -k slow', 'python -m pytest -k slow'],
    ['uv run --with rich -s tool x', 'python tool x'],
    ['uv run - x', 'python - x'],
    ['uv run pytest x.py', 'pytest x.py'],
    ['py -3.12 train.py', 'python train.py'],
    ['py train.py', 'python train.py'],
    ['py.exe -V:3.13t -I train.py', 'python -I train.py'],
  ])('is a Python that the launcher chooses: %s', (line, command) => {
    expect(launchedCommand(words(line))).toEqual(words(command))
  })

  test.each([
    [
      ['env', '-S', 'python3 -u', 'train.py'],
      ['python3', '-u', 'train.py'],
    ],
    [
      ['env', '-iS', 'X=1 python3 -u', 'train.py'],
      ['python3', '-u', 'train.py'],
    ],
    [
      ['env', '-vSpython3 -u', 'train.py'],
      ['python3', '-u', 'train.py'],
    ],
    [
      ['env', '--split-string=-i python3 -c "a b"'],
      ['python3', '-c', 'a b'],
    ],
    [
      ['env', '--split-string', 'node', 'a.js'],
      ['node', 'a.js'],
    ],
  ])('is split off by env: %j', (argv, command) => {
    expect(launchedCommand(argv)).toEqual(command)
  })

  test.each(['env', 'env X=1', 'timeout 5', 'uv sync', 'uv run', 'poetry install python3', 'X=1', 'ls -l', 'nice'])(
    'is the launcher where nothing is behind it: %s',
    (line) => {
      expect(launchedCommand(words(line))).toEqual(words(line))
    },
  )
})

const word = fc.string({ minLength: 1 }).filter((text) => !text.startsWith('-') && !/^\w+=/.test(text))
const assignment = fc.tuple(fc.constantFrom('X', 'PYTHONPATH'), fc.string()).map(([name, value]) => `${name}=${value}`)
const launcher = fc.oneof(
  fc.array(assignment).map((all) => ['env', ...all]),
  fc.tuple(fc.constantFrom('-u', '-C'), word).map((option) => ['env', '-i', ...option]),
  fc.tuple(fc.constantFrom('-k', '-s', '--signal'), word, word).map((all) => ['timeout', ...all]),
  word.map((mask) => ['taskset', '-c', mask]),
  word.map((value) => ['uv', 'run', '--with', value]),
  word.map((value) => ['conda', 'run', '-n', value]),
  fc.constantFrom(['nice'], ['nohup'], ['setsid', '-f'], ['stdbuf', '-oL'], ['poetry', 'run'], ['pipenv', 'run']),
)
const interpreter = fc.constantFrom('python3', '/usr/bin/python3.13t', 'pypy3', 'node', 'node20')

test('launchers in front, however many, never change the interpreter nor its arguments', () => {
  fc.assert(
    fc.property(fc.array(launcher), interpreter, fc.array(fc.string()), (all, program, args) => {
      expect(launchedCommand([...all.flat(), program, ...args])).toEqual([program, ...args])
    }),
  )
})

test('any words at all have an end', () => {
  const anything = fc.oneof(fc.string(), fc.constantFrom('env', '-S', 'env -S', 'uv', 'run', 'py', '--', '-', 'X=1'))
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1 }), (argv) => {
      expect(launchedCommand(argv).length).toBeGreaterThan(0)
    }),
    { numRuns: 1000 },
  )
})
