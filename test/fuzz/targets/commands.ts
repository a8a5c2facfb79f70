import { secondReadings } from '../../../src/runtimes/command/secondReading'
import { envReferences, UnreachablePlaceholderError } from '../../../src/runtimes/command/shellContext'
import type { FuzzTarget } from '../target'

const words = [
  'sh',
  'bash',
  '-c',
  '-ec',
  'eval',
  'env',
  'sudo',
  '-u',
  'xargs',
  'find',
  '-exec',
  'docker',
  'exec',
  'python3',
  'node',
  '-e',
  'perl',
  'awk',
  'ssh',
  'watch',
  'trap',
  'su',
  'timeout',
  '--',
  '${item}',
  '${index}',
  "'",
  '"',
  '`',
  '$(',
  ')',
  '((',
  '))',
  '$((',
  '${',
  '}',
  '[',
  ']',
  '<<END\n',
  '\nEND\n',
  '<<<',
  '|',
  '&&',
  ';',
  '\n',
  '#',
  '\\',
  'case x in a)',
  'esac',
  'for i in',
  'do',
  'done',
  'if',
  'then',
  'fi',
  "$'",
  ' ',
]

export const target: FuzzTarget = {
  run(input) {
    const script = input.toString('utf8')
    try {
      envReferences(script, { item: 'UNHANG_ITEM', index: 'UNHANG_INDEX' })
    } catch (error) {
      if (!(error instanceof UnreachablePlaceholderError)) throw error
    }
    for (const command of [script, script.split(' ')]) {
      for (const { index, advice } of secondReadings(command)) {
        if (advice === '' || (index !== undefined && index >= command.length))
          throw new Error(`no advice for ${JSON.stringify(command)}`)
      }
    }
  },
  seeds: [
    "sh -c 'echo ${item}'",
    'x=1 bash -ec "echo ${item} $HOME" a b >out',
    'bash <<END\necho ${item}\nEND\n',
    'for i in 1 2; do eval "f ${item}"; done | sh',
    "find . -exec sh -c 'f ${item}' \\;",
    `python3 -c 'print("\${item}")'`,
    'case $x in a) sh -c "`f ${item}`";; esac',
    'echo $((${item} + ${#a[${index}]})) # x',
  ].map((text) => Buffer.from(text)),
  dictionary: words.map((text) => Buffer.from(text)),
  largestAllocation: 2 ** 20,
}
