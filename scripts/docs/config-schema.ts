/** The JSON Schema of the configuration file, for editors, from the schema that reads it. */
import { z } from 'zod'
import { createConfigSchema } from '../../src/operate/config/schema.ts'
import { findSentence } from './settings.ts'

type Schema = z.core.JSONSchema.BaseSchema

/** `config.schema.json`. */
export function renderConfigSchema(): string {
  const { $schema, ...rest } = z.toJSONSchema(
    createConfigSchema(() => ''),
    { io: 'input', unrepresentable: 'any' },
  )
  const whole = describe({ $schema, title: 'Configuration of Gatehouse', ...rest }, [])
  return `${JSON.stringify(whole, undefined, 2)}\n`
}

/** A schema with a sentence for each setting below it, and what the types cannot say. */
function describe(schema: Schema, path: readonly string[]): Schema {
  const { properties } = schema
  const described = properties && {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, below]) => [
        name,
        typeof below === 'boolean' ? below : describe(below, [...path, name]),
      ]),
    ),
  }
  const setting = path.join('.')
  const whole = toAlternatives(setting, described ?? schema)
  const sentence = path.length === 0 ? undefined : findSentence(setting)
  return sentence === undefined ? whole : { ...whole, description: toPlainText(sentence) }
}

/** Scopes may be a list of names; a store may be its URL, or where that is. */
function toAlternatives(setting: string, schema: Schema): Schema {
  const names: Schema = { type: 'array', items: { type: 'string' } }
  if (setting === 'scopes') return { anyOf: [schema, names] }
  if (setting !== 'store') return schema
  return { anyOf: [{ type: 'string', minLength: 1 }, ...['env', 'file'].map(toReference), schema] }
}

function toReference(kind: string): Schema {
  return {
    type: 'object',
    properties: { [kind]: { type: 'string', minLength: 1 } },
    required: [kind],
    additionalProperties: false,
  }
}

/** Without the marks of Markdown, which editors show as they are. */
function toPlainText(sentence: string): string {
  return sentence.replaceAll('`', '').replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
}
