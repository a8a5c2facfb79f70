import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CommandResult } from '../../../src/core'
import { secondReadings } from '../../../src/runtimes'
import { commandPool, rejection, temporaryFolder } from '../core/support'

/** Each would leave a file where it runs. */
const hostile = [
  '$(touch ran)',
  '`touch ran`',
  '; touch ran;',
  '"; touch ran; "',
  "'; touch ran; '",
  "'\ntouch ran\n'",
  '\ntouch ran\n',
  '" & touch ran & "',
  '|| touch ran',
  '#\ntouch ran',
  "'+require('fs').writeFileSync('ran','')+'",
  "'+__import__('os').system('touch ran')+'",
  '";system("touch ran");"',
  '\\"$(touch ran)\\"',
  'a[$(touch ran)]',
]

/** The item is read as code in each of them. */
const unsafe: (string | readonly string[])[] = [
  "sh -c 'echo ${item}'",
  'sh -c "echo ${item} \'${item}\'"',
  'eval "echo ${item}"',
  'bash -c "echo \\"${item}\\""',
  'sh <<END\necho ${item}\nEND',
  'echo "echo ${item}" | sh',
  "true; (sh -c 'echo ${item}')",
  'env A=1 sh -c ${item}',
  ['sh', '-c', 'echo ${item}'],
  ['env', 'sh', '-c', 'echo "${item}"'],
  ['node', '-e', "console.log('${item}')"],
  ['python3', '-c', "print('${item}')"],
  ['perl', '-e', 'print "${item}"'],
]

describe('an item that a program would read as code', { retry: 0 }, () => {
  it.each(unsafe)('never runs: %j', async (command) => {
    const cwd = temporaryFolder()
    const pool = commandPool(command, { cwd })
    for (const item of hostile)
      await expect(rejection(pool.runItem(item, 0).get())).resolves.toMatchObject({
        message: expect.stringContaining('would read the item as code') as unknown,
      })
    expect(existsSync(join(cwd, 'ran'))).toBe(false)
  })

  it.each(["sh -c 'echo ${item}'", ['sh', '-c', 'echo ${item}']])('may be a number: %j', async (command) => {
    expect(((await commandPool(command).runItem(-4.5, 0).get()) as CommandResult).stdout).toBe('-4.5\n')
  })
})

describe('the safe form that is advised', { retry: 0 }, () => {
  const advised = (command: string | readonly string[]): string | readonly string[] => {
    const written = secondReadings(command)[0]?.advice.replace(/^Write /, '') ?? ''
    return typeof command === 'string' ? written : (JSON.parse(written) as readonly string[])
  }
  it.each<[string | readonly string[]]>([
    ["sh -c 'printf %s ${item}'"],
    ['bash -c "printf %s \'${item}\'"'],
    ['eval "printf %s ${item}"'],
    [['sh', '-c', 'printf %s "${item}"']],
    [['env', 'A=1', 'sh', '-c', 'printf %s ${item}', 'me', 'b']],
    [['node', '-e', "process.stdout.write('${item}')"]],
    [['python3', '-c', "sys.stdout.write('${item}')"]],
    [['perl', '-e', 'print "${item}"']],
  ])('hands every item over as it is: %j', async (command) => {
    const cwd = temporaryFolder()
    const pool = commandPool(advised(command), { cwd })
    for (const item of hostile) {
      const { stdout } = (await pool.runItem(item, 0).get()) as CommandResult
      expect(stdout).toBe(item)
    }
    expect(existsSync(join(cwd, 'ran'))).toBe(false)
  })
})
