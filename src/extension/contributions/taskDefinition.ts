/**
 * What package.json says of the pool task, made from the schema that the host checks definitions with. Used by
 * `npm run contributions`, which writes package.json, and by the unit test that keeps the two equal; never at runtime.
 */
import { poolTaskJsonSchema } from '../../protocol/schemas'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface TaskDefinitionContribution {
  /** `contributes.taskDefinitions[0]`, with `%keys%` for the texts. */
  readonly definition: { readonly type: 'pool'; readonly required: readonly string[]; readonly properties: Json }
  /** The texts, for package.nls.json. */
  readonly texts: Readonly<Record<string, string>>
}

/**
 * `required` is left empty although the schema has one: VS Code refuses such a task before we see it and says so only
 * in the Tasks output. The host says it in the task's terminal and at the task in tasks.json.
 */
export function taskDefinitionContribution(): TaskDefinitionContribution {
  const { type, properties } = poolTaskJsonSchema()
  const texts: Record<string, string> = {}
  const localized = localize(
    { label: labelSchema, ...(properties as Record<string, Json>) },
    'taskDefinition.pool',
    texts,
  )
  return { definition: { type, required: [], properties: localized }, texts }
}

/**
 * Part of the definition although every task has a label: VS Code tells tasks apart by these keys alone, and of two
 * pools that differ in nothing but their labels it would drop one.
 */
const labelSchema: Json = {
  type: 'string',
  description: 'Name of the task, and of its pool in the Pools view. Each task of the file needs a name of its own.',
}

/** Replaces every description by a reference, as Markdown (they have `code` in them). */
function localize(schema: Json, path: string, texts: Record<string, string>): Json {
  if (Array.isArray(schema)) return schema.map((part, index) => localize(part, `${path}.${index}`, texts))
  if (typeof schema !== 'object' || schema === null) return schema
  const result: Record<string, Json> = {}
  for (const [key, value] of Object.entries(schema)) {
    // A property may itself be called "description"; only a text is one.
    if (key === 'description' && typeof value === 'string') {
      const name = path.replaceAll(/\.(?:anyOf|properties)\b/g, '')
      texts[name] = value
      result.markdownDescription = `%${name}%`
    } else {
      result[key] = localize(value, `${path}.${key}`, texts)
    }
  }
  return result
}
