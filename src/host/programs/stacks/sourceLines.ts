import { readForeign, type ReadForeign } from '../../../files'

/** A frame by its place: file and line (from 1). */
interface Place {
  readonly file: string
  readonly line: number
}

/** For all files of a stack; without their lines it is worth nearly as much. */
const patienceMs = 2000
/** A stack has a few files; more is a program that makes them up. */
const mostFiles = 200

/**
 * The lines of source at the frames of a stack. The program names the files, so nothing is taken for granted: they are
 * read in a thread of its own, which has two seconds, and what is no ordinary file is not opened.
 * @returns the trimmed line at a place; empty when it cannot be read
 */
export async function sourceLines(
  places: readonly Place[],
  read: ReadForeign = readForeign,
): Promise<(place: Place) => string> {
  const wanted = new Map<string, Set<number>>()
  for (const { file, line } of places) {
    const lines = wanted.get(file) ?? (wanted.size < mostFiles ? new Set<number>() : undefined)
    if (lines !== undefined) wanted.set(file, lines.add(line))
  }
  if (wanted.size === 0) return () => ''
  const answer = await read(
    { kind: 'sources', wanted: [...wanted].map(([path, lines]) => ({ path, lines: [...lines] })) },
    { deadlineMs: patienceMs },
  )
  const found = new Map(
    answer.kind === 'sources'
      ? answer.found.map(({ path, lines }) => [path, new Map(lines.map(({ number, text }) => [number, text]))])
      : [],
  )
  return ({ file, line }) => found.get(file)?.get(line) ?? ''
}
