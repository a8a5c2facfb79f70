import { accessSync, closeSync, constants, existsSync, readSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { openForeignFile } from '../../files'
import { CliError } from '../errors'
import { exitCodes, type ExitCode } from '../exitCodes'
import { shellWord } from '../words/shell'

/** The program could not be started. */
export class StartError extends CliError {
  override readonly name = 'StartError'

  constructor(
    message: string,
    details: readonly string[],
    readonly exitCode: ExitCode,
    options: ErrorOptions,
  ) {
    super(message, details, options)
  }
}

/** Where a program is looked for. */
export interface Place {
  /** The current folder. */
  readonly folder: string
  /** PATH. */
  readonly path: string | undefined
}

/** Why a program could not be started, which the system says in one word for many reasons, and what to do. */
export function startError(
  program: string,
  error: NodeJS.ErrnoException,
  place: Place = { folder: process.cwd(), path: process.env.PATH },
): StartError {
  switch (error.code) {
    case 'ENOENT':
      return notFound(program, error, place)
    case 'EACCES':
      if (isFolder(fileOf(program, place)))
        return new StartError(
          `${program}: it is a folder, not a program`,
          [`Name the program in it: unhang run -- ${shellWord(join(program, 'PROGRAM'))}`],
          exitCodes.notExecutable,
          { cause: error },
        )
      return new StartError(
        `${program}: not executable`,
        [`Use \`chmod +x\`, or name what runs it first: unhang run -- python3 ${shellWord(program)}`],
        exitCodes.notExecutable,
        { cause: error },
      )
    case 'ENOEXEC':
      return new StartError(
        `${program}: not a program that can be executed`,
        [`Name what runs it first: unhang run -- python3 ${shellWord(program)}`],
        exitCodes.notExecutable,
        { cause: error },
      )
    default:
      return new StartError(`${program} could not be started: ${error.message}`, [], exitCodes.notExecutable, {
        cause: error,
      })
  }
}

function notFound(program: string, cause: Error, place: Place): StartError {
  const file = fileOf(program, place)
  // The file is there, so what is missing is what it is run by.
  const interpreter = file === undefined ? undefined : shebangOf(file)
  if (file !== undefined && interpreter !== undefined) {
    const [message, advice] = interpreter.endsWith('\r')
      ? [
          `its first line ends as on Windows (CR LF), which is taken for a part of ${interpreter.trimEnd()}`,
          'Convert it, for instance with dos2unix',
        ]
      : [`there is no ${interpreter}, which is to run it`, `Correct its first line (#!${interpreter})`]
    return new StartError(
      `${program}: ${message}`,
      [`${advice}; or name what runs it first: unhang run -- python3 ${shellWord(program)}`],
      exitCodes.notFound,
      { cause },
    )
  }
  if (file !== undefined && existsSync(file))
    return new StartError(
      `${program}: the loader that it asks for is not there`,
      ['It was built for another system.'],
      exitCodes.notFound,
      { cause },
    )
  return new StartError(`${program}: there is no such program`, [notFoundAdvice(program, place)], exitCodes.notFound, {
    cause,
  })
}

function notFoundAdvice(program: string, { folder }: Place): string {
  if (/\s/.test(program)) return 'Write it and its arguments as words of their own: unhang run -- python3 train.py'
  if (program.startsWith('/'))
    return existsSync(dirname(program))
      ? `${dirname(program)} has no such file.`
      : `The folder ${dirname(program)} does not exist.`
  if (program.includes('/')) return `A path is relative to the current folder, ${folder}.`
  const here = join(folder, program)
  if (!existsSync(here) || isFolder(here))
    return 'It was looked for in PATH; a program of this folder needs its path: ./'
  const start = `${isExecutable(here) ? '' : 'python3 '}${shellWord(`./${program}`)}`
  return `It was looked for in PATH, and the one in this folder needs its path: unhang run -- ${start}`
}

/** The file that is meant; undefined when PATH has none. */
function fileOf(program: string, { folder, path = '' }: Place): string | undefined {
  if (program.startsWith('/')) return program
  if (program.includes('/')) return join(folder, program)
  return path
    .split(delimiter)
    .map((entry) => join(entry === '' ? folder : entry, program))
    .find((candidate) => existsSync(candidate) && !isFolder(candidate) && isExecutable(candidate))
}

/** The kernel reads no more of the first line. */
const longestShebang = 256

/** `/usr/bin/env` of `#!/usr/bin/env python3`; undefined of a file that has no such line, or is none. */
function shebangOf(file: string): string | undefined {
  try {
    const buffer = Buffer.alloc(longestShebang)
    const { descriptor } = openForeignFile(file)
    try {
      const text = buffer.toString('utf8', 0, readSync(descriptor, buffer))
      return /^#![ \t]*([^ \t\n]+)/.exec(text)?.[1]
    } finally {
      closeSync(descriptor)
    }
  } catch {
    // Not there, or not ours to read.
    return undefined
  }
}

function isFolder(file: string | undefined): boolean {
  try {
    return file !== undefined && statSync(file).isDirectory()
  } catch {
    return false
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
