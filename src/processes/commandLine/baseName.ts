/**
 * Last part of a path of either system: `python.exe` of `C:\Python\python.exe`, `job` of `/opt/job/`; the text itself
 * when it is nothing but separators.
 */
export function baseName(path: string): string {
  let end = path.length
  while (end > 0 && isSeparator(path.charAt(end - 1))) end -= 1
  let start = end
  while (start > 0 && !isSeparator(path.charAt(start - 1))) start -= 1
  return start === end ? path : path.slice(start, end)
}

function isSeparator(character: string): boolean {
  return character === '/' || character === '\\'
}
