import { Uri } from 'vscode'
import type { Tone } from './statusColors'

/** Our own scheme, so that nobody else's decorations (git, problems) ever colour a row. */
export const decorationScheme = 'unhang-row'

/** The tone is part of the address: a row that changes its tone gets another decoration without any event. */
export function decorationUri(key: string, tone: Tone): Uri {
  return Uri.from({ scheme: decorationScheme, path: `/${key}`, query: tone })
}
