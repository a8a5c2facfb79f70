import { expect, test } from 'vitest'
import { keepsObserverOut } from '../../../../src/host/programs/observers/keepsObserverOut'

test.each([
  [['python3', '-I', 'train.py'], /-I, this Python does not read PYTHONPATH/],
  [['/usr/bin/python3.11', '-uE', 'train.py'], /-E, /],
  [['python', '-X', 'dev', '-W', 'error', '-S', 'train.py'], /-S, this Python does not run sitecustomize/],
  [['python', '-Wignore', '-I', '-c', 'pass'], /-I/],
  [['python3.13t', '-I', 'train.py'], /-I/],
  [['python3-dbg', '-E', 'train.py'], /-E/],
  [['env', 'X=1', 'nice', '-n', '5', 'python3', '-S', 'train.py'], /-S/],
  [['uv', 'run', 'python', '-I', 'train.py'], /-I/],
])('%j keeps the observer out, and why', (argv, why) => {
  expect(keepsObserverOut(argv)).toMatch(why)
})

test('what keeps it out is said with all that has to go', () => {
  expect(keepsObserverOut(['python3', '-IuS', 'train.py'])).toMatch(/^started with -I, .*; start it without -I and -S$/)
})

test.each([
  [['python3', 'train.py', '-I']],
  [['python3', '-u', '-c', 'print()', '-E']],
  [['python3', '-m', 'train', '-S']],
  [['python3', '-mIES']],
  [['python3', '-W', 'I', 'train.py']],
  [['python3']],
  [['sh', '-E', 'x']],
  [['env', '-i', 'python3', 'train.py']],
  [['timeout', '-S', 'python3', 'train.py']],
  [['python3', '-', '-I']],
  [[]],
])('%j lets it in', (argv) => {
  expect(keepsObserverOut(argv)).toBeUndefined()
})
