/** What a shell would do something with. */
const shellSyntax = /[|&;<>()$`\\"'*?~#!{}[\]\n]|=.*\s/

/**
 * A command line as the `program` of a pool task: words where it needs no shell, so that the program is our own child
 * and not a shell's; else the line as it is, which a shell runs.
 */
export function programOfLine(line: string): string | string[] {
  const text = line.trim()
  return shellSyntax.test(text) ? text : text.split(/\s+/)
}

/** What a program is called: its script, or else its first word. */
export function nameOfProgram(program: string | readonly string[]): string {
  const words = typeof program === 'string' ? program.trim().split(/\s+/) : program
  const script = words.find((word, at) => at > 0 && /\.(?:py|js|mjs|cjs)$/.test(word))
  return (script ?? words[0] ?? '').replace(/^.*[/\\]/, '')
}
