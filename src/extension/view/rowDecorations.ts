import { FileDecoration, ThemeColor, type FileDecorationProvider, type Uri } from 'vscode'
import { decorationScheme } from './decorationUri'
import type { Tone } from './statusColors'

/** Colours the rows of our views by their tone. Words and icon say the same without it. */
export class RowDecorations implements FileDecorationProvider {
  readonly #byTone: Readonly<Record<Tone, FileDecoration | undefined>> = {
    normal: undefined,
    stuck: new FileDecoration(undefined, undefined, new ThemeColor('list.warningForeground')),
    slow: new FileDecoration(undefined, undefined, new ThemeColor('list.warningForeground')),
    bad: new FileDecoration(undefined, undefined, new ThemeColor('list.errorForeground')),
    // Greyed out it could not be read well enough; the icon is quieter, and that will do.
    quiet: undefined,
  }

  provideFileDecoration(uri: Uri): FileDecoration | undefined {
    return uri.scheme === decorationScheme ? this.#byTone[uri.query as Tone] : undefined
  }
}
