import { describe, expect, it } from 'vitest'
import { envReferences } from '../../../src/runtimes/command/shellContext'

const rewrite = (script: string): string => envReferences(script, { item: 'I', index: 'N' }).script

describe('placeholders in a shell command', () => {
  it.each([
    ['echo ${item}', 'echo "${I}"'],
    ['echo "${item}"', 'echo "${I}"'],
    ["echo '${item}'", `echo ''"\${I}"''`],
    ['echo out/${index}.png', 'echo out/"${N}".png'],
    ['echo "a${item}b" ${index}', 'echo "a${I}b" "${N}"'],
    ['echo "$(basename ${item})"', 'echo "$(basename "${I}")"'],
    ['echo "$(basename "${item}") ${item}"', 'echo "$(basename "${I}") ${I}"'],
    ['(cd /tmp; echo ${item}) "${item}"', '(cd /tmp; echo "${I}") "${I}"'],
    ['echo \\"${item}', 'echo \\""${I}"'],
    ['echo \\${item}', 'echo \\${item}'],
    ['echo ${other} $item ${items}', 'echo ${other} $item ${items}'],
    ["awk '{print $1}' ${item}", `awk '{print $1}' "\${I}"`],
  ])('%s becomes %s', (script, expected) => {
    expect(rewrite(script)).toBe(expected)
  })
})
