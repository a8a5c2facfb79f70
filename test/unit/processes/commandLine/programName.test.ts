import { describe, expect, test } from 'vitest'
import { commandName, programName } from '../../../../src/processes'

describe('a program is named', () => {
  test.each([
    [['python3', 'train.py', '--fast'], 'train.py'],
    [['/usr/bin/python3.11', '-u', 'src/train.py'], 'train.py'],
    [['python', '-m', 'pytest', 'tests/x.py'], 'pytest'],
    [['python3', '-c', 'print(1)'], 'python3 -c'],
    [['python3', '-W', 'default', '-X', 'dev', 'train.py'], 'train.py'],
    [['node', '-r', 'ts-node/register', './build.ts'], 'build.ts'],
    [['node', '-e', 'go()'], 'node -e'],
    [['node', './build.js'], 'build.js'],
    [['./run.sh', 'train.py'], 'run.sh'],
    [['python3'], 'python3'],
    [['python3', 'train.py', '-m', 'fast'], 'train.py'],
    [['python3.13t', '-I', 'train.py'], 'train.py'],
    [['python3-dbg', '-mpytest'], 'pytest'],
    [['python3', '-Bc', 'print(1)'], 'python3 -c'],
    [['python3', 'jobs/'], 'jobs'],
    [['env', 'X=1', 'timeout', '5', 'python3', 'train.py'], 'train.py'],
    [['uv', 'run', 'train.py'], 'train.py'],
    [['nice', './run.sh'], 'run.sh'],
    [['env'], 'env'],
    [[], 'program'],
  ])('%j as %s', (argv, name) => {
    expect(programName(argv)).toBe(name)
  })
})

test.each([
  ['/usr/bin/convert -size 10 ${item}', 'convert'],
  ['"my tool" ${item}', 'my tool'],
  [['/usr/bin/convert', '${item}'], 'convert'],
  ['', 'command'],
])('a command of a pool, %j, is named %s', (command, name) => {
  expect(commandName(command)).toBe(name)
})
