import { styleText } from 'node:util'

/** Colours support the words, they never replace them: without a palette every line still says everything. */
export interface Palette {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly warning: (text: string) => string
  readonly bad: (text: string) => string
}

const same = (text: string): string => text

/** For pipes, files and NO_COLOR. */
export const plainPalette: Palette = { bold: same, dim: same, good: same, warning: same, bad: same }

const colourPalette: Palette = {
  bold: (text) => styleText('bold', text, { validateStream: false }),
  dim: (text) => styleText('dim', text, { validateStream: false }),
  good: (text) => styleText('green', text, { validateStream: false }),
  warning: (text) => styleText('yellow', text, { validateStream: false }),
  bad: (text) => styleText('red', text, { validateStream: false }),
}

/** Colours on a terminal only, and not with NO_COLOR (https://no-color.org: set and not empty) or TERM=dumb. */
export function paletteFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Palette {
  const wanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  return wanted ? colourPalette : plainPalette
}
