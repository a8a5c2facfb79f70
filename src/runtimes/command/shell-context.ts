/**
 * Replaces `${item}` and `${index}` in a shell script by references to environment variables, each written so that the value is
 * one word where the placeholder stands: `"${V}"` outside of quotes, `${V}` inside double quotes, `'"${V}"'` inside single ones.
 *
 * The value itself never becomes part of the script. A shell does not parse what an expansion yields, so no item can run
 * anything, also where this reader of quotes errs (in a here-document, say): the worst is a stray quote.
 */
export function envReferences(script: string, variables: Readonly<Record<'item' | 'index', string>>): string {
  let result = ''
  const contexts: ('plain' | 'double')[] = ['plain']
  let single = false
  for (let at = 0; at < script.length; at++) {
    const context = contexts.at(-1) ?? 'plain'
    const name = placeholderAt(script, at)
    if (name !== undefined) {
      const reference = `\${${variables[name]}}`
      if (single) result += `'"${reference}"'`
      else result += context === 'double' ? reference : `"${reference}"`
      at += name.length + 2
      continue
    }
    const character = script.charAt(at)
    result += character
    if (single) {
      if (character === "'") single = false
    } else if (character === '\\') {
      at++
      result += script.charAt(at)
    } else if (character === "'" && context === 'plain') {
      single = true
    } else if (character === '"') {
      if (context === 'double') contexts.pop()
      else contexts.push('double')
    } else if (character === '(' && (context === 'plain' || script.charAt(at - 1) === '$')) {
      // Inside $( ) quoting starts afresh, also within double quotes.
      contexts.push('plain')
    } else if (character === ')' && context === 'plain' && contexts.length > 1) {
      contexts.pop()
    }
  }
  return result
}

function placeholderAt(script: string, at: number): 'item' | 'index' | undefined {
  if (script.startsWith('${item}', at)) return 'item'
  if (script.startsWith('${index}', at)) return 'index'
  return undefined
}
