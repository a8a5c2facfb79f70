import { commaSeparated, message, type Text } from '../messages'

/** The notes of a shutdown on a process, made before the signal, as a text; without notes another one. */
export function foreseen(notes: readonly string[], withoutNotes: Text): Text {
  return notes.length === 0 ? withoutNotes : commaSeparated(notes.map(translatable))
}

/** The notes are English words of src/shutdown/foreseen.ts; an unknown one is shown as it is. */
function translatable(note: string): Text {
  const [, word, of = ''] = /^(ignores|blocks|traced by pid) (\w+)$/.exec(note) ?? [undefined, note]
  switch (word) {
    case 'ignores':
      return message('ignores {0}', of)
    case 'blocks':
      return message('blocks {0}', of)
    case 'traced by pid':
      return message('traced by pid {0}', of)
    case 'zombie':
      return message('zombie')
    case 'stopped':
      return message('stopped')
    case 'uninterruptible':
      return message('uninterruptible')
    case 'no effect':
      return message('no effect')
    default:
      return note
  }
}
