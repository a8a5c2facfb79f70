/**
 * The last filter before a terminal: of all control characters, only line feeds, tabs and the palette's own colours
 * pass. Others are shown as `�`, because names and messages have been filtered before: one here is an error of ours.
 */
export function withOwnStylesOnly(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[(?:1|2|22|3[123]|39)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (code) =>
    code.length > 1 ? code : '�',
  )
}
