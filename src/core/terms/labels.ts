import { basename, extname } from 'node:path'

/** A row in a tree has room for about this much; the whole item is in the tooltip's data. */
const longestLabel = 80

/** `resize(img_7.png)`. */
export function callLabel(name: string, args: readonly unknown[]): string {
  return shorten(`${name}(${args.map(previewOrDots).join(', ')})`)
}

/** `resize`, or for a default export the name of its file. */
export function functionLabel(module: string, exportName: string): string {
  return exportName === 'default' ? basename(module, extname(module)) : exportName
}

/** `resize × 20 (items 40 to 59)`. */
export function chunkLabel(name: string, first: number, count: number): string {
  return shorten(
    count === 1 ? `${name} (item ${first})` : `${name} × ${count} (items ${first} to ${first + count - 1})`,
  )
}

/** A command as a person would write it, on one line. */
export function commandLabel(display: string): string {
  return shorten(display.replace(/\s+/g, ' ').trim())
}

/** Getters and proxies are the caller's code, and may throw: a label is no reason for a task to fail. */
function previewOrDots(value: unknown): string {
  try {
    return preview(value)
  } catch {
    return '…'
  }
}

function preview(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return String(value)
    case 'symbol':
      return value.toString()
    case 'function':
      return `function ${value.name}`
    case 'object':
      return objectPreview(value)
  }
}

function objectPreview(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.length} items]`
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`
  // Names and ids say which one it is; the first few keys do for the rest.
  const entries = Object.entries(value).slice(0, 3)
  const shown = entries.map(
    ([key, inner]) => `${key}: ${typeof inner === 'object' && inner !== null ? '…' : String(inner)}`,
  )
  return `{${shown.join(', ')}}`
}

/** A label is printed in terminals, so a control character in an item must not become a command there. */
function shorten(text: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�')
  return plain.length <= longestLabel ? plain : `${plain.slice(0, longestLabel - 1)}…`
}
