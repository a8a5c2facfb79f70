import { describe, expect, test } from 'vitest'
import { programName } from '../../../../src/host/programs/programName'

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
  ])('%j as %s', (argv, name) => {
    expect(programName(argv)).toBe(name)
  })
})
