import { basename } from 'node:path'

/** `train.py` of `python3 -u train.py --fast`. */
export function programName(argv: readonly string[]): string {
  const [program = 'program', ...rest] = argv
  const name = basename(program)
  if (!/^(?:python|pypy|node|py)[\d.]*(?:\.exe)?$/.test(name)) return name
  const module = rest.indexOf('-m')
  const script = rest.find((argument) => !argument.startsWith('-'))
  if (module >= 0 && rest[module + 1] !== undefined && (script === undefined || rest.indexOf(script) > module)) return rest[module + 1] ?? name
  return rest.includes('-c') ? `${name} -c` : script === undefined ? name : basename(script)
}
