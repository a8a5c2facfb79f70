/** A line longer than this is passed on in pieces: a worker that never prints a newline must not fill our memory. */
const maxLineLength = 64 * 1024

/** Makes whole lines of one stream's chunks, so that the lines of several workers never mix. */
export class LineAssembler {
  #partial = ''

  /** The lines that are complete now, without their ends. */
  push(text: string): string[] {
    const pieces = (this.#partial + text).split('\n')
    this.#partial = pieces.pop() ?? ''
    const lines = pieces.map(visiblePart)
    while (this.#partial.length > maxLineLength) {
      lines.push(this.#partial.slice(0, maxLineLength))
      this.#partial = this.#partial.slice(maxLineLength)
    }
    return lines
  }

  /** What is left when the stream has ended. */
  flush(): string[] {
    const rest = visiblePart(this.#partial)
    this.#partial = ''
    return rest === '' ? [] : [rest]
  }
}

/** What a terminal would show of a line: a progress bar rewrites itself after each carriage return. */
function visiblePart(line: string): string {
  const withoutEnd = line.endsWith('\r') ? line.slice(0, -1) : line
  return withoutEnd.slice(withoutEnd.lastIndexOf('\r') + 1)
}
