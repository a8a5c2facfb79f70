/** Text from tasks.json or a worker without what a terminal would take for a command; line feeds and tabs stay. */
export function plainText(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '�')
}
